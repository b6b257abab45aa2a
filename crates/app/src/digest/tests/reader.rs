//! A reader with a copy of its own, and dice.

use std::sync::Arc;

use dagr_store::kv::{Direction, Range as Scan, Table};

use super::*;

/// Numbers that follow from a seed (Knuth's MMIX).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5555);
        (0..4).for_each(|_| _ = dice.below(2));
        dice
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[derive(Debug, Default, Clone)]
pub struct Range {
    pub from: Option<Map<String, Value>>,
    pub to: Option<Map<String, Value>>,
    pub parts: Option<u64>,
}

impl Range {
    pub fn random(dice: &mut Dice) -> Self {
        let mut ends = [0, 0].map(|_| {
            let code = ["a", "b", "c", "d", "e"][dice.below(5) as usize];
            (dice.below(3) > 0).then(|| (code, dice.below(4)))
        });
        if ends[1].is_some() && ends[0] > ends[1] {
            ends.swap(0, 1);
        }
        // Often one key alone: what happened to it is not covered by what happened to others.
        if dice.below(2) == 0 {
            ends[1] = ends[0].map(|(code, year)| (code, year + 1));
        }
        let [from, to] = ends.map(|end| {
            let (code, year) = end?;
            json!({ "Code": code, "Year": year }).as_object().cloned()
        });
        let parts = Some(1 + dice.below(6));
        Self { from, to, parts }
    }

    pub fn asked(&self) -> DigestRange {
        let Self { from, to, parts } = self.clone();
        DigestRange { from, to, parts }
    }
}

#[derive(Clone)]
pub struct Copy<'w> {
    world: &'w World,
    ctx: Ctx,
    pub after: Option<String>,
    /// By encoded key: the record as it came.
    records: BTreeMap<Vec<u8>, String>,
    /// Keys of the last page.
    pub last: Vec<Vec<u8>>,
}

fn live(world: &World) -> Arc<LiveSet> {
    Arc::clone(world.app.catalog().live(Main, "persons").unwrap())
}

impl<'w> Copy<'w> {
    pub fn new(world: &'w World, ctx: &Ctx) -> Self {
        Self {
            world,
            ctx: ctx.clone(),
            after: None,
            records: BTreeMap::new(),
            last: Vec::new(),
        }
    }

    /// Every record there is, as stored.
    pub fn stored(world: &World) -> Vec<Value> {
        let kv = live(world).open(&*world.engine).unwrap();
        let snapshot = kv.snapshot().unwrap();
        let scan = snapshot.scan(Table::Record, Scan::default(), Direction::Forward);
        scan.unwrap()
            .map(|pair| dagr_store::set::stored::Stored::read(pair.unwrap().1).unwrap())
            .map(|stored| serde_json::from_slice(stored.record.json).unwrap())
            .collect()
    }

    fn key(&self, key: &Map<String, Value>) -> Vec<u8> {
        live(self.world).schema.key_from_object(key, true).unwrap()
    }

    /// Takes one page; `true`: nothing more now.
    pub async fn page(&mut self, limit: u64) -> bool {
        let query = ChangesQuery {
            after: self.after.take(),
            limit: Some(limit),
            include_record: true,
            ..ChangesQuery::default()
        };
        let app = &self.world.app;
        let answer = app.change_list(&self.ctx, Main, "persons", query).await.unwrap();
        let page: Value = serde_json::from_slice(&answer.get().body).unwrap();
        self.last.clear();
        for change in page["changes"].as_array().unwrap() {
            let key = self.key(change["key"].as_object().unwrap());
            if change["operation"] == "delete" {
                self.records.remove(&key);
            } else {
                self.records.insert(key.clone(), change["record"].to_string());
            }
            self.last.push(key);
        }
        self.after = page["next"].as_str().map(str::to_owned);
        page["end"] == true
    }

    pub async fn digest(&self, after: &str, range: &Range) -> Value {
        let asked = ToldDigest {
            after: after.to_owned(),
            range: range.asked(),
            fields: None,
        };
        let app = &self.world.app;
        let answer = app.told_digest(&self.ctx, Main, "persons", asked).await.unwrap();
        serde_json::from_slice(&answer.get().body).unwrap()
    }

    pub fn in_range(&self, key: &[u8], range: &Range) -> bool {
        let end = |end: &Option<Map<String, Value>>| end.as_ref().map(|end| self.key(end));
        end(&range.from).is_none_or(|from| *from <= *key) && end(&range.to).is_none_or(|to| *key < *to)
    }

    /// The digest of this copy without the keys that are yet to be told of, whole and piece by piece.
    pub fn agrees(&self, told: &Value, range: &Range, yet: &BTreeSet<Vec<u8>>) {
        let sum = |range: &Range| {
            let (mut count, mut digest) = (0, SetDigest::default());
            let held = |key: &Vec<u8>| self.in_range(key, range) && !yet.contains(key);
            for (_, record) in self.records.iter().filter(|(key, _)| held(key)) {
                count += 1;
                digest.add(&record_digest(record.as_bytes()));
            }
            (json!(count), json!(digest.hex()))
        };
        let (records, digest) = sum(range);
        assert_eq!(
            (&told["records"], &told["digest"]),
            (&records, &digest),
            "{range:?}"
        );
        let parts = told["parts"].as_array().unwrap();
        assert!(parts.len() as u64 <= range.parts.unwrap_or(DEFAULT_PARTS));
        for part in parts {
            let piece = Range {
                from: part["from"].as_object().cloned(),
                to: part["to"].as_object().cloned(),
                parts: None,
            };
            let (records, digest) = sum(&piece);
            assert_eq!((&part["records"], &part["digest"]), (&records, &digest));
        }
    }
}
