//! One record by its full key, now or as it stood.

use std::sync::Arc;

use dagr_model::{
    fault::Fault,
    ids::Section,
    leaves::LeafSet,
    permission::Way,
    record::{Mask, project},
};
use dagr_policy::Target;
use dagr_store::set::{read, stored::Stored};
use jiff::Timestamp;

use crate::{
    App,
    admit::Admission,
    ctx::Ctx,
    disclose::{Disclosed, Sealed},
    disclosure::entry::{Entry, Kind},
    problem::Problem,
    scope::record_in_scope,
};

/// What is given, as bytes of the answer.
#[derive(Debug)]
pub struct Answer {
    pub body: Vec<u8>,
    /// Strong entity tag, quotes included; single records only.
    pub etag: Option<String>,
    /// `Cache-Control: no-store`: anything that is not open.
    pub private: bool,
}

/// A record asked by its full key.
#[derive(Debug, Default, Clone)]
pub struct RecordQuery {
    pub fields: Option<Vec<String>>,
    pub as_of: Option<Timestamp>,
}

/// What was read of one record.
#[derive(Default)]
struct One {
    body: Vec<u8>,
    subjects: Vec<String>,
    found: bool,
}

impl One {
    fn take(&mut self, admission: &Admission, mask: &Mask, stored: &Stored<'_>) {
        let schema = &admission.set.schema;
        self.body.reserve(stored.record.json.len());
        project(schema, stored.record, mask, &mut self.body);
        self.subjects = schema.subjects_of(stored.record, Some(mask));
        self.found = true;
    }
}

impl App {
    pub async fn record_get(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        parts: &[String],
        query: RecordQuery,
    ) -> Result<Disclosed<Answer>, Problem> {
        let admission = self.admit(ctx, section, dataset)?;
        let texts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let key = admission.set.schema.key_from_parts(&texts);
        let way = if query.as_of.is_some() {
            Way::History
        } else {
            Way::Key
        };
        let ask = admission.ask(ctx, way, query.fields, Target::Keys(vec![key.clone()]));
        admission.decide(&ask)?;
        let key = key.map_err(Problem::key_invalid)?;
        let mask = admission.mask(ask.fields.as_deref());
        let reservation = admission.reserve_keys(1)?;
        let One {
            body,
            mut subjects,
            found,
        } = self.read_one(&admission, &key, &mask, query.as_of)?;
        let uses = reservation.settle(1);
        if !found {
            subjects = admission.key_subjects(&key);
            admission.missed(ctx, self, 1);
        }
        let etag = found.then(|| self.secrets.etag(&admission, &body));
        let answer = found.then_some(Answer {
            body,
            etag,
            private: !admission.open,
        });
        if admission.open {
            return present(Self::open_data(&admission.set, answer)?);
        }
        let entry = Entry {
            found,
            fields: mask.leaves.clone(),
            count: u64::from(found),
            misses: u32::from(!found),
            keys: vec![key],
            ..admission.entry(ctx, &ask.way)
        };
        let urgent = admission.is_urgent();
        present(
            self.disclose(Sealed {
                value: answer,
                entry,
                subjects,
                uses,
                urgent,
                now_ms: ctx.now_ms(),
            })
            .await?,
        )
    }

    fn read_one(
        &self,
        admission: &Admission,
        key: &[u8],
        mask: &Mask,
        as_of: Option<Timestamp>,
    ) -> Result<One, Problem> {
        let mut one = One::default();
        let kv = admission.set.open(&*self.engine)?;
        let snapshot = kv.snapshot()?;
        let Some(current) = read::record(&*snapshot, key)? else {
            return Ok(one);
        };
        if !record_in_scope(&admission.grant, current.record) {
            return Ok(one);
        }
        let Some(at) = as_of else {
            one.take(admission, mask, &current);
            return Ok(one);
        };
        let created = current.meta()?.creation.sequence;
        if let Some(version) = read::version(&*snapshot, key, created, at.as_millisecond())?
            && record_in_scope(&admission.grant, version.record)
        {
            one.take(admission, mask, &version);
        }
        Ok(one)
    }
}

/// The record, or 404: told only once its entry is in the log.
fn present(answer: Disclosed<Option<Answer>>) -> Result<Disclosed<Answer>, Problem> {
    answer
        .transpose()
        .ok_or_else(|| Problem::new(404, "record_unknown", "no record under this key"))
}

impl Admission {
    /// The permission's mask, narrowed by `fields=` (which was found granted).
    pub fn mask(&self, fields: Option<&[String]>) -> Arc<Mask> {
        match fields {
            None => Arc::clone(&self.grant.mask),
            Some(_) => self.grant.given(fields).mask,
        }
    }

    /// An entry with everything that does not depend on what was read.
    pub fn entry<'a>(&'a self, ctx: &'a Ctx, way: &'a Way) -> Entry<'a> {
        let permission = &self.held.permission;
        Entry {
            kind: Kind::Data,
            section: self.set.section,
            found: false,
            request_id: ctx.request_id.as_str().into(),
            permission: permission.number.as_str().into(),
            revision: permission.revision,
            purpose: permission.purpose.as_str().into(),
            legal_basis: permission.legal_basis.as_str().into(),
            case: ctx.case.as_deref().map(Into::into),
            recipient: permission.recipient.as_str().into(),
            connection: self.connection.as_str().into(),
            dataset: self.set.name.as_str().into(),
            way: way.text(),
            search: None,
            fields: LeafSet::new(),
            count: 0,
            misses: 0,
            keys: Vec::new(),
        }
    }

    /// Data subjects that a key (full or leading) names by itself.
    pub fn key_subjects(&self, key: &[u8]) -> Vec<String> {
        let schema = &self.set.schema;
        let values = schema.key_display_values(key);
        let named = schema
            .key
            .iter()
            .zip(values)
            .filter(|(node, _)| schema.subjects.contains(node));
        named
            .filter_map(|(_, value)| {
                value
                    .as_str()
                    .map(|text| dagr_model::value::subject_code(text).into_owned())
            })
            .collect()
    }

    /// Counts misses; the provider is told once when the limit is reached.
    pub fn missed(&self, ctx: &Ctx, app: &App, count: u32) {
        if self.open || count == 0 {
            return;
        }
        let usage = &self.held.usage;
        usage.missed(count, ctx.now_ms());
        let limit = self.held.permission.misses_per_hour;
        if usage.misses_left(limit, ctx.now_ms()) == 0 && usage.notice_due(ctx.now_ms()) {
            app.notice(
                ctx,
                &self.set,
                "misses_limited",
                &format!("permission {}", self.held.permission.number),
            );
        }
    }

    /// A fault of the cursor sent.
    pub fn cursor_fault() -> Fault {
        Fault::new(
            "after",
            "cursor_invalid",
            "not a cursor of this permission and call; start without after",
        )
    }
}
