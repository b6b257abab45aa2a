//! A data set under random definitions, permissions, packages and readers, compared with a simple model.
//!
//! An engine's own test is a line that calls `run` with many seeds. Two worlds go side by side that differ only in
//! what one recipient may not see: it must be told the same in both. Other recipients read one of them.

mod amended;
mod audit;
mod endless;
mod model;
mod packages;
mod random;
mod reader;
mod side;
mod world;

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use dagr_model::{record::Canonical, schema::Schema};

pub use self::{amended::run as run_amended, endless::Endless};
use self::{
    random::Random,
    reader::Reader,
    side::Side,
    world::{KeyParts, Permission},
};
use super::{keys::ListId, stored::At};
use crate::kv::Kv;

const STEPS: usize = 40;
/// The first one reads both worlds.
const PERMISSIONS: usize = 3;

/// How many cases of a seeded test: `usual` times the variable `DAGR_CASES`, if that is set.
pub fn cases(usual: u64) -> u64 {
    let times = std::env::var("DAGR_CASES")
        .ok()
        .and_then(|times| times.parse().ok())
        .unwrap_or(1);
    usual * times
}

/// One case. `open` makes an empty data set; it is called with two names.
///
/// # Panics
/// When a recipient is told anything wrong, or the store holds a row too many or too few. The seed is printed.
pub fn run(open: &dyn Fn(&str) -> Arc<dyn Kv>, seed: u64) {
    let _told = Seed(seed);
    let mut simulation = Simulation::new(open, seed);
    for _ in 0..STEPS {
        simulation.step();
    }
    simulation.finish();
}

/// Prints the seed of a case that fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the case that failed has seed {}", self.0);
        }
    }
}

struct Simulation {
    random: Random,
    schema: Arc<Schema>,
    now_ms: i64,
    a: Side,
    /// The other world; without it packages also carry what would tell the worlds apart.
    b: Option<Side>,
    permissions: Vec<Rc<Permission>>,
    /// So many of them see no difference between the worlds.
    fooled: usize,
    /// By permission: its reader in the first world and in the other.
    readers: Vec<Option<(Reader, Option<Reader>)>>,
}

/// What records should become.
type Wanted = BTreeMap<KeyParts, Option<Canonical>>;

impl Simulation {
    fn new(open: &dyn Fn(&str) -> Arc<dyn Kv>, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let schema = world::schema(&mut random);
        let permissions: Vec<_> = (0..PERMISSIONS)
            .map(|at| Rc::new(Permission::random(&mut random, &schema, at as ListId + 10)))
            .collect();
        let a = Side::new(open("a"), &schema, &mut random);
        let b = (!seed.is_multiple_of(3)).then(|| Side::new(open("b"), &schema, &mut random));
        let readers = permissions.iter().map(|_| None).collect();
        Self {
            random,
            schema,
            now_ms: 1_000,
            a,
            b,
            permissions,
            fooled: 1,
            readers,
        }
    }

    fn step(&mut self) {
        self.now_ms += 1_000;
        match self.random.below(20) {
            0..8 => self.package(),
            8..10 => self.hidden_package(),
            10..12 => self.start_scope(),
            12..14 => {
                let at = self.random.below(PERMISSIONS);
                self.readers[at] = None;
                self.read(at);
            }
            _ => {
                let at = self.random.below(PERMISSIONS);
                self.read(at);
            }
        }
    }

    /// Everybody catches up.
    fn finish(&mut self) {
        for at in 0..PERMISSIONS {
            while self.read(at) == Some(false) {}
        }
    }

    /// Reads one page in both worlds; `None` = the permission cannot be read yet.
    fn read(&mut self, at: usize) -> Option<bool> {
        let permission = &self.permissions[at];
        let started = self.a.started(permission)?;
        let reader = |side: &Side| {
            Some(Reader::new(
                Rc::clone(permission),
                side.started(permission)?,
                side.model.sequence,
            ))
        };
        let limit = *self.random.pick(&[1, 2, 3, 100]);
        let (a, b) = self.readers[at].get_or_insert_with(|| {
            let other = self.b.as_ref().filter(|_| at == 0).and_then(reader);
            (
                Reader::new(Rc::clone(permission), started, self.a.model.sequence),
                other,
            )
        });
        let told = a.page(&*self.a.kv, &self.a.model, limit);
        if let (Some(b), Some(side)) = (b, &self.b) {
            let other = b.page(&*side.kv, &side.model, limit);
            assert_eq!(
                told, other,
                "hidden differences tell nothing: {}",
                permission.told
            );
        }
        Some(told.1)
    }

    /// A predicate's list begins when records exist, and packages from now on keep it.
    fn start_scope(&mut self) {
        let permission = self.random.pick(&self.permissions);
        if self.a.started(permission).is_some() {
            return;
        }
        for side in [Some(&mut self.a), self.b.as_mut()].into_iter().flatten() {
            let started = At {
                sequence: side.model.sequence,
                time_ms: self.now_ms,
            };
            side.scopes.push((started, Rc::clone(permission)));
        }
    }

    fn start_all_scopes(&mut self) {
        self.a.scopes = self
            .permissions
            .iter()
            .map(|permission| (At::default(), Rc::clone(permission)))
            .collect();
    }

    fn package(&mut self) {
        let mut wanted = Wanted::new();
        for _ in 0..=self.random.below(6) {
            let key = world::key_parts(&mut self.random);
            let new = self.another(key);
            wanted.insert(key, new);
        }
        if let Some(mut b) = self.b.take() {
            let mut others: Wanted = wanted
                .iter()
                .map(|(key, new)| (*key, self.twin(*key, new.as_ref())))
                .collect();
            if self.random.percent(30) {
                self.hidden(&self.a.model.schema.clone(), &wanted, &mut others);
            }
            let delivery = self.delivery(b.model.all(), &others);
            b.deliver_audited(&delivery, &mut self.random);
            self.b = Some(b);
        }
        let mut delivery = self.delivery(self.a.model.all(), &wanted);
        if self.b.is_none() {
            self.spoil(&mut delivery);
        }
        self.a.deliver_audited(&delivery, &mut self.random);
    }

    fn another(&mut self, key: KeyParts) -> Option<Canonical> {
        let old = self.a.model.current(&world::key_of(&self.schema, key));
        let random = &mut self.random;
        if random.percent(25) {
            return None;
        }
        let draft = match old {
            Some(old) if random.percent(75) => {
                let old = serde_json::from_slice(&old.json).expect("record");
                world::mutate(random, &self.schema, &old)
            }
            _ => world::draft(random, &self.schema, key),
        };
        Some(world::canonical(&self.schema, &draft))
    }

    /// A package that only changes what the first permission does not show, in one world.
    fn hidden_package(&mut self) {
        let Some(mut b) = self.b.take() else { return };
        let mut others = Wanted::new();
        self.hidden(&self.schema.clone(), &Wanted::new(), &mut others);
        let in_b = self.random.percent(50);
        let side = if in_b { &b } else { &self.a };
        let delivery = self.delivery(side.model.all(), &others);
        let side = if in_b { &mut b } else { &mut self.a };
        side.deliver_audited(&delivery, &mut self.random);
        self.b = Some(b);
    }

    /// Adds changes that the first permission does not show, of records that `known` leaves alone.
    fn hidden(&mut self, schema: &Schema, known: &Wanted, others: &mut Wanted) {
        for _ in 0..=self.random.below(4) {
            let key = world::key_parts(&mut self.random);
            if !known.contains_key(&key) {
                let now = self.a.model.current(&world::key_of(schema, key)).cloned();
                let twin = self.twin(key, now.as_ref());
                others.insert(key, twin);
            }
        }
    }

    /// Another record, or none, that looks the same to whom the worlds must look the same.
    fn twin(&mut self, key: KeyParts, record: Option<&Canonical>) -> Option<Canonical> {
        let fooled = self.permissions[..self.fooled].to_vec();
        let bytes = world::key_of(&self.schema, key);
        let shown = |record: &Canonical| -> Vec<_> {
            let to = |permission: &Rc<Permission>| permission.shown(&self.schema, &bytes, record.as_ref());
            fooled.iter().map(to).collect()
        };
        let seen = record.map_or_else(|| vec![None; fooled.len()], &shown);
        let is_seen = seen.iter().any(Option::is_some);
        if !is_seen && self.random.percent(30) {
            return None;
        }
        for _ in 0..8 {
            let draft = match record {
                Some(record) if is_seen => {
                    let draft = serde_json::from_slice(&record.json).expect("record");
                    world::mutate(&mut self.random, &self.schema, &draft)
                }
                _ => world::draft(&mut self.random, &self.schema, key),
            };
            let twin = world::canonical(&self.schema, &draft);
            if shown(&twin) == seen {
                return Some(twin);
            }
        }
        record.cloned()
    }
}
