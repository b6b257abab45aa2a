//! A permission that is amended at any moment: a reader's copy against what it may hold, and two worlds that differ
//! only in what no terms show.

mod bounds;
mod floors;
mod given;
mod waits;
mod widened;

use std::collections::{BTreeMap, BTreeSet};

use dagr_model::ids::{PermissionNumber, Section};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::ChangesQuery;
use crate::{
    ctx::{ConnectionKind, Ctx},
    problem::Problem,
    testing::{STRANGER, World},
};

const DEFINITION: &str = "name: bss_back
key: Town(, Code, Part)
subject: Code
guard: 100%
data_description: Persons
fields:
  - Town : town
  - Code : code
  - Part int : part
  - Kind : kind
  - Name : name
  - Size int : size
  - Secret : in no permission
";
const FIELDS: [&[&str]; 4] = [&["Kind", "Name", "Size"], &["Kind", "Size"], &["Name"], &[]];
const KINDS: [&str; 3] = ["a", "b", "hidden"];
const CODES: u8 = 9;

/// Terms: which fields and which scope. A scope of 0 is everything.
type Terms = (usize, usize);
/// Kind, name, size.
type Content = (usize, u8, u8);

#[derive(Debug, Clone)]
enum Step {
    /// Codes and what becomes of them; what differs in the other world.
    Deliver(Vec<(u8, Option<Content>)>, u8),
    /// Only the other world changes, where nobody may see it.
    Hidden(u8),
    Amend(Terms),
    Read(u64),
    ReadAll,
    Restart,
}

fn content() -> impl Strategy<Value = Content> {
    (0..2usize, 0..3u8, 0..3u8)
}

fn step() -> impl Strategy<Value = Step> {
    let change = (0..CODES, prop::option::weighted(0.8, content()));
    prop_oneof![
        4 => (prop::collection::vec(change, 1..6), any::<u8>())
            .prop_map(|(changes, salt)| Step::Deliver(changes, salt)),
        1 => any::<u8>().prop_map(Step::Hidden),
        3 => (0..FIELDS.len(), 0..7usize).prop_map(Step::Amend),
        6 => prop::sample::select(vec![1, 1, 2, 3]).prop_map(Step::Read),
        1 => Just(Step::ReadAll),
        1 => Just(Step::Restart),
    ]
}

/// Odd codes live in one town, even ones in another.
fn town(code: u8) -> &'static str {
    if code.is_multiple_of(2) { "Even" } else { "Odd" }
}

/// No scope holds kind `hidden`, but for everything and key lists: those are not used with it.
fn scope(at: usize) -> Value {
    match at {
        1 => json!({ "keys": [["Even"]] }),
        2 => json!({ "keys": [["Odd", "c1"], ["Odd", "c3", 1], ["Even", "c4"]] }),
        3 => json!({ "keys": [["Odd"], ["Even", "c2"]] }),
        4 => json!({ "when": "record.Kind == 'a'" }),
        5 => json!({ "when": "record.Kind == 'b' || record.Size == 1" }),
        6 => json!({ "when": "record.Name != 'n0' && record.Kind != 'hidden'" }),
        _ => Value::Null,
    }
}

fn is_in(at: usize, code: u8, (kind, name, size): Content) -> bool {
    match at {
        1 => code.is_multiple_of(2),
        2 => [1, 3, 4].contains(&code),
        3 => !code.is_multiple_of(2) || code == 2,
        4 => kind == 0,
        5 => kind == 1 || size == 1,
        6 => name != 0 && kind != 2,
        _ => true,
    }
}

fn key(code: u8) -> Map<String, Value> {
    let key = json!({ "Town": town(code), "Code": format!("c{code}"), "Part": 1 });
    key.as_object().cloned().unwrap_or_default()
}

fn shown((fields, scope): Terms, code: u8, content: Content) -> Option<Value> {
    if !is_in(scope, code, content) {
        return None;
    }
    let mut record = key(code);
    for field in FIELDS[fields] {
        let value = match *field {
            "Kind" => json!(KINDS[content.0]),
            "Name" => json!(format!("n{}", content.1)),
            _ => json!(content.2),
        };
        record.insert((*field).to_owned(), value);
    }
    Some(Value::Object(record))
}

/// A world, its permission, and the record data in it that somebody may see.
struct Site {
    world: World,
    reader: Ctx,
    packages: u32,
}

impl Site {
    async fn new(terms: Terms) -> Self {
        let world = World::new().await;
        world.publish(DEFINITION).await;
        let create = json!({
            "dataset": "bss_back", "recipient": STRANGER, "environment": "main", "purpose": "p",
            "legal_basis": "l", "fields": fields(terms), "scope": scope(terms.1), "ways": ["changes"],
        });
        let create = serde_json::from_value(create).unwrap();
        let made = world
            .app
            .permission_create(&world.operator(), &create)
            .await
            .unwrap();
        let reader = Ctx {
            permission: Some(made.value.number.to_string()),
            ..world.connection(STRANGER, ConnectionKind::Consumer)
        };
        Self {
            world,
            reader,
            packages: 0,
        }
    }

    async fn deliver(&mut self, lines: &str) {
        self.packages += 1;
        let id = format!("p{}", self.packages);
        self.world.deliver("bss_back", &id, lines).await.unwrap();
    }

    async fn amend(&self, terms: Terms) {
        self.patch(json!({ "fields": fields(terms), "scope": scope(terms.1) }))
            .await;
    }

    async fn patch(&self, patch: Value) {
        let patch = serde_json::from_value(patch).unwrap();
        let number = PermissionNumber::new(self.reader.permission.clone().unwrap());
        self.world
            .app
            .permission_update(&self.world.operator(), number.as_str(), &patch, None)
            .await
            .unwrap();
    }

    async fn try_page(&self, after: Option<&str>, limit: u64) -> Result<String, Problem> {
        let query = ChangesQuery {
            after: after.map(str::to_owned),
            limit: Some(limit),
            include_record: true,
            ..ChangesQuery::default()
        };
        let (app, reader) = (&self.world.app, &self.reader);
        let reader = Ctx {
            now: app.now(),
            ..reader.clone()
        };
        let page = app.change_list(&reader, Section::Main, "bss_back", query).await?;
        Ok(String::from_utf8(page.into_inner().body).unwrap())
    }

    /// The page's text; 410 only after too many amendments.
    async fn page(&self, after: Option<&str>, limit: u64) -> Result<String, String> {
        self.try_page(after, limit).await.map_err(|problem| {
            let Problem { code, detail, .. } = problem;
            assert_eq!(code, "cursor_expired", "{detail}");
            assert!(detail.contains("amended again and again"), "{detail}");
            detail
        })
    }
}

fn fields((fields, _): Terms) -> Vec<&'static str> {
    [&["Town", "Code", "Part"], FIELDS[fields]].concat()
}

fn upsert(code: u8, (kind, name, size): Content, secret: u8) -> String {
    let mut record = key(code);
    record.insert("Kind".into(), json!(KINDS[kind]));
    record.insert("Name".into(), json!(format!("n{name}")));
    record.insert("Size".into(), json!(size));
    record.insert("Secret".into(), json!(format!("s{secret}")));
    format!("{}\n", json!({ "op": "upsert", "record": record }))
}

fn delete(code: u8) -> String {
    format!("{}\n", json!({ "op": "delete", "key": key(code) }))
}

struct Case {
    sites: [Site; 2],
    terms: Terms,
    present: BTreeMap<u8, Content>,
    cursors: Option<[String; 2]>,
    copy: BTreeMap<String, Value>,
    /// Codes that some page read could have shown.
    possible: BTreeSet<String>,
    /// Predicates alone, so that a record may be outside all of them.
    predicates: bool,
    minute: u32,
}

impl Case {
    async fn new(terms: Terms, predicates: bool) -> Self {
        let mut case = Self {
            sites: [Site::new((0, 0)).await, Site::new((0, 0)).await],
            terms: (0, 0),
            present: BTreeMap::new(),
            cursors: None,
            copy: BTreeMap::new(),
            possible: BTreeSet::new(),
            predicates,
            minute: 0,
        };
        case.amend(terms).await;
        case
    }

    async fn step(&mut self, step: Step) {
        self.minute += 1;
        let now = format!("2024-06-02T{:02}:{:02}:00Z", self.minute / 60, self.minute % 60);
        self.sites.iter().for_each(|site| site.world.clock.set(&now));
        match step {
            Step::Deliver(changes, salt) => self.deliver(changes, salt).await,
            Step::Hidden(salt) => {
                let lines = self.hidden(salt);
                self.sites[1].deliver(&lines).await;
            }
            Step::Amend(terms) => self.amend(terms).await,
            Step::Read(limit) => {
                self.read(limit).await;
            }
            Step::ReadAll => self.read_all().await,
            Step::Restart => {
                self.cursors = None;
                self.copy.clear();
                self.possible.clear();
            }
        }
    }

    async fn amend(&mut self, (fields, scope): Terms) {
        self.terms = (fields, if self.predicates { 4 + scope % 3 } else { scope });
        for site in &self.sites {
            site.amend(self.terms).await;
        }
    }

    async fn deliver(&mut self, changes: Vec<(u8, Option<Content>)>, salt: u8) {
        let mut lines = [String::new(), String::new()];
        for (code, content) in changes {
            match content {
                Some(content) => {
                    self.present.insert(code, content);
                    lines[0] += &upsert(code, content, 0);
                    lines[1] += &upsert(code, content, salt);
                }
                None => {
                    self.present.remove(&code);
                    for lines in &mut lines {
                        *lines += &delete(code);
                    }
                }
            }
        }
        lines[1] += &self.hidden(salt);
        for (site, lines) in self.sites.iter_mut().zip(&lines) {
            site.deliver(lines).await;
        }
    }

    /// Secrets of a record, and where predicates alone decide, a record that none of them holds.
    fn hidden(&self, salt: u8) -> String {
        let seen = self.present.iter().nth(usize::from(salt) % CODES as usize);
        let mut lines = seen.map_or_else(String::new, |(code, content)| upsert(*code, *content, salt));
        if self.predicates {
            let code = CODES + salt % 4;
            lines += &if salt.is_multiple_of(3) {
                delete(code)
            } else {
                upsert(code, (2, salt % 2, 0), salt)
            };
        }
        lines
    }

    async fn read_all(&mut self) {
        while !self.read(2).await {}
    }

    /// `true` at the end.
    async fn read(&mut self, limit: u64) -> bool {
        let visible = self.present.iter();
        let visible = visible.filter_map(|(code, content)| shown(self.terms, *code, *content));
        self.possible
            .extend(visible.map(|record| record["Code"].to_string()));
        let mut pages = Vec::new();
        for (at, site) in self.sites.iter().enumerate() {
            let after = self.cursors.as_ref().map(|cursors| cursors[at].as_str());
            pages.push(site.page(after, limit).await);
        }
        let (Ok(page), Ok(other)) = (&pages[0], &pages[1]) else {
            assert_eq!(pages[0], pages[1], "a cursor ends in both worlds");
            self.cursors = None;
            self.copy.clear();
            return false;
        };
        let (page, next) = without_cursor(page);
        let (other, other_next) = without_cursor(other);
        assert_eq!(page, other, "hidden differences tell nothing");
        assert_eq!(next.len(), other_next.len());
        self.cursors = Some([next, other_next]);
        let page: Value = serde_json::from_str(&page).unwrap();
        for change in page["changes"].as_array().unwrap() {
            self.take(change);
        }
        if page["end"] == true {
            let shown = self.present.iter();
            let shown = shown.filter_map(|(code, content)| shown_by_code(self.terms, *code, *content));
            assert_eq!(self.copy, shown.collect(), "under {:?}", self.terms);
        }
        page["end"] == true
    }

    fn take(&mut self, change: &Value) {
        let code = change["key"]["Code"].to_string();
        assert!(
            self.possible.contains(&code),
            "{code} was in nothing that was given"
        );
        if change["operation"] == "delete" {
            assert!(change.get("record").is_none());
            self.copy.remove(&code);
        } else {
            self.copy.insert(code, change["record"].clone());
        }
    }
}

fn shown_by_code(terms: Terms, code: u8, content: Content) -> Option<(String, Value)> {
    let record = shown(terms, code, content)?;
    Some((record["Code"].to_string(), record))
}

fn without_cursor(page: &str) -> (String, String) {
    let (before, rest) = page.split_once("\"next\":\"").unwrap();
    let (next, after) = rest.split_once('"').unwrap();
    (format!("{before}\"next\":\"\"{after}"), next.to_owned())
}

fn run(terms: Terms, predicates: bool, steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut case = Case::new(terms, predicates).await;
        for step in steps {
            case.step(step).await;
        }
        case.read_all().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_copy_is_always_what_the_present_terms_show(
        terms in (0..FIELDS.len(), 0..7usize),
        predicates: bool,
        steps in prop::collection::vec(step(), 1..40),
    ) {
        run(terms, predicates, steps);
    }
}
