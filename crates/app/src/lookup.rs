//! Many keys in one call: `POST /data/{set}/lookup`.

use dagr_model::{
    fault::Fault,
    ids::Section,
    permission::Way,
    record::{Mask, project},
};
use dagr_policy::Target;
use dagr_store::set::read;
use serde_json::{Map, Value};

use crate::{
    App,
    admit::Admission,
    ctx::Ctx,
    disclose::{Disclosed, Sealed},
    disclosure::entry::Entry,
    problem::Problem,
    record::Answer,
    scope::record_in_scope,
    set::key_place,
};

/// Keys in one lookup at most.
pub const MAX_KEYS: usize = 1_000;
/// A lookup's answer at most; beyond it nothing is taken.
const MAX_ANSWER_BYTES: usize = 32 << 20;

/// The body of a lookup.
#[derive(Debug, Clone)]
pub struct Lookup {
    pub keys: Vec<Map<String, Value>>,
    pub fields: Option<Vec<String>>,
}

#[derive(Default)]
struct Read {
    body: Vec<u8>,
    subjects: Vec<String>,
    found: u64,
}

impl App {
    pub async fn lookup(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        lookup: Lookup,
    ) -> Result<Disclosed<Answer>, Problem> {
        let admission = self.admit(ctx, section, dataset)?;
        let keys = encode(&admission, &lookup.keys);
        let way = if lookup.keys.len() == 1 {
            Way::Key
        } else {
            Way::Bulk
        };
        let ask = admission.ask(ctx, way, lookup.fields, Target::Keys(keys));
        admission.decide(&ask)?;
        let Target::Keys(keys) = &ask.target else {
            return Err(Problem::internal("keys were asked"));
        };
        let keys: Vec<Vec<u8>> = keys.iter().filter_map(|key| key.clone().ok()).collect();
        let mask = admission.mask(ask.fields.as_deref());
        let reservation = admission.reserve_keys(keys.len() as u64)?;
        let Read {
            body,
            subjects,
            found,
        } = self.read_keys(&admission, &keys, &mask)?;
        let uses = reservation.settle(keys.len() as u64);
        let misses = (keys.len() as u64 - found) as u32;
        admission.missed(ctx, self, misses);
        let answer = Answer {
            body,
            etag: None,
            private: !admission.open,
        };
        if admission.open {
            return Self::open_data(&admission.set, answer);
        }
        let entry = Entry {
            found: found > 0,
            fields: mask.leaves.clone(),
            count: found,
            misses,
            keys,
            ..admission.entry(ctx, &ask.way)
        };
        let urgent = admission.is_urgent();
        self.disclose(Sealed {
            value: answer,
            entry,
            subjects,
            uses,
            urgent,
            now_ms: ctx.now_ms(),
        })
        .await
    }

    fn read_keys(&self, admission: &Admission, keys: &[Vec<u8>], mask: &Mask) -> Result<Read, Problem> {
        let schema = &admission.set.schema;
        let kv = admission.set.open(&*self.engine)?;
        let snapshot = kv.snapshot()?;
        let mut read = Read::default();
        read.body.extend_from_slice(b"{\"results\":[");
        for (position, key) in keys.iter().enumerate() {
            if position > 0 {
                read.body.push(b',');
            }
            read.body.extend_from_slice(b"{\"key\":");
            schema.key_json(key, &mut read.body);
            let stored = read::record(&*snapshot, key)?;
            match stored.filter(|stored| record_in_scope(&admission.grant, stored.record)) {
                None => {
                    read.body.extend_from_slice(b",\"found\":false}");
                    read.subjects.extend(admission.key_subjects(key));
                }
                Some(stored) => {
                    read.body.extend_from_slice(b",\"found\":true,\"record\":");
                    project(schema, stored.record, mask, &mut read.body);
                    read.body.push(b'}');
                    read.subjects
                        .extend(schema.subjects_of(stored.record, Some(mask)));
                    read.found += 1;
                }
            }
            if read.body.len() > MAX_ANSWER_BYTES {
                let message =
                    "the answer would be over 32 MiB; ask fewer keys or fewer fields; nothing was taken";
                return Err(Problem::new(413, "answer_too_large", message));
            }
        }
        read.body.extend_from_slice(b"]}");
        Ok(read)
    }
}

/// Keys as asked; what cannot be read as one becomes one fault that names its place.
fn encode(admission: &Admission, keys: &[Map<String, Value>]) -> Vec<Result<Vec<u8>, Fault>> {
    let encode = |(position, key): (usize, &Map<String, Value>)| {
        admission.set.schema.key_from_object(key, true).map_err(|faults| {
            let why: Vec<String> = faults
                .into_iter()
                .map(|fault| format!("{}: {}", fault.place, fault.message))
                .collect();
            Fault::new(key_place(position), "key_invalid", why.join("; "))
        })
    };
    if keys.is_empty() || keys.len() > MAX_KEYS {
        // A fault of the keys, so that it is told in its place among the checks.
        let message = format!("a lookup asks 1 to {MAX_KEYS} keys");
        return vec![Err(Fault::new("keys", "key_invalid", message))];
    }
    keys.iter().enumerate().map(encode).collect()
}
