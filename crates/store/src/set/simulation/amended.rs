//! One permission that is amended while its reader reads: its copy is always what it may hold.
//!
//! Two worlds go side by side that differ only in what no revision shows; the reader is told the same in both.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use dagr_model::record::project;

use super::{
    STEPS, Seed, Simulation,
    reader::Item,
    side::Side,
    world::{Permission, Sight},
};
use crate::{
    kv::Kv,
    set::{
        change::Kind,
        feed::{self, Earlier, Take, Told, View},
        head::Head,
        keys::ListId,
        position::{POSITION_BYTES, Position, Reading},
    },
};

/// Terms a permission goes through, in any order and again.
const TERMS: usize = 5;

/// One case. `open` makes an empty data set; it is called with two names.
///
/// # Panics
/// When the recipient is told anything wrong, or is left with anything it may hold no longer. The seed is printed.
pub fn run(open: &dyn Fn(&str) -> Arc<dyn Kv>, seed: u64) {
    let _told = Seed(seed);
    // A case with two worlds.
    let mut simulation = Simulation::new(open, seed / 2 * 3 + seed % 2 + 1);
    let first = Permission::random(&mut simulation.random, &simulation.schema, 10);
    simulation.permissions = vec![Rc::new(first)];
    for at in 1..TERMS {
        let before = simulation.random.below(at);
        let next = Rc::clone(&simulation.permissions[before]);
        let next = next.amended(&mut simulation.random, &simulation.schema, at as ListId + 10);
        simulation.permissions.push(Rc::new(next));
    }
    simulation.fooled = TERMS;
    let mut case = Case {
        history: vec![0],
        readers: [Reader::new(), Reader::new()],
        simulation,
    };
    for _ in 0..2 * STEPS {
        case.step();
    }
    while case.read() == Some(false) {}
}

struct Case {
    simulation: Simulation,
    /// The terms of each revision; the last is the present one.
    history: Vec<usize>,
    readers: [Reader; 2],
}

impl Case {
    fn step(&mut self) {
        let simulation = &mut self.simulation;
        simulation.now_ms += 1_000;
        match simulation.random.below(20) {
            0..5 => simulation.package(),
            5..7 => simulation.hidden_package(),
            7..9 => simulation.start_scope(),
            9..11 => self.amend(),
            11 => {
                self.readers = [Reader::new(), Reader::new()];
            }
            _ => {
                self.read();
            }
        }
    }

    /// Other terms, once their list is kept.
    fn amend(&mut self) {
        let terms = self.simulation.random.below(TERMS);
        if self
            .simulation
            .a
            .started(&self.simulation.permissions[terms])
            .is_some()
        {
            self.history.push(terms);
        }
    }

    /// `None` = the first terms cannot be read yet.
    fn read(&mut self) -> Option<bool> {
        let simulation = &mut self.simulation;
        simulation.a.started(&simulation.permissions[self.history[0]])?;
        let limit = *simulation.random.pick(&[1, 1, 2, 3, 100]);
        let terms: Vec<_> = self
            .history
            .iter()
            .map(|at| &*simulation.permissions[*at])
            .collect();
        let [a, b] = &mut self.readers;
        let told = a.page(&simulation.a, &terms, limit, simulation.now_ms);
        if let Some(other) = &simulation.b {
            let other = b.page(other, &terms, limit, simulation.now_ms);
            let last = terms.last().map(|permission| &permission.told);
            assert_eq!(told, other, "hidden differences tell nothing: {last:?}");
        }
        Some(told.1)
    }
}

struct Reader {
    /// Revision and position, as a cursor holds them; `None` = it begins.
    cursor: Option<(usize, Vec<u8>)>,
    copy: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Revisions under which pages were read, and the heads they were read at.
    pages: BTreeSet<(usize, u64)>,
    /// A page was full at this head and revision: there must be more.
    owed: Option<(usize, u64)>,
}

impl Reader {
    fn new() -> Self {
        Self {
            cursor: None,
            copy: BTreeMap::new(),
            pages: BTreeSet::new(),
            owed: None,
        }
    }

    fn page(&mut self, side: &Side, terms: &[&Permission], limit: usize, now_ms: i64) -> (Vec<Item>, bool) {
        let snapshot = side.kv.snapshot().expect("snapshot");
        let head = Head::read(&*snapshot).expect("head").sequence;
        let revision = terms.len() - 1;
        let mut position = self.position(terms, head);
        let follows = matches!(position.reading, Reading::Follow(_)) && position.layers.is_empty();
        let (schema, permission) = (&side.model.schema, terms[revision]);
        let eyes: Vec<_> = terms
            .iter()
            .map(|terms| terms.eyes(schema, side.started(terms).expect("its list is kept")))
            .collect();
        let earlier: Vec<_> = (0..revision)
            .map(|at| Earlier {
                revision: at as u32,
                scope: eyes[at].scope(),
                same_leaves: terms[at].mask.leaves == permission.mask.leaves,
            })
            .collect();
        let view = View {
            leaves: &permission.mask.leaves,
            scope: eyes[revision].scope(),
            earlier: &earlier,
            now_ms,
        };
        let mut items: Vec<Item> = Vec::new();
        let mut visit = |told: Told<'_>| {
            if items.len() == limit {
                return Ok(Take::Full);
            }
            let mut masked = Vec::new();
            let (kind, key, at) = match told {
                Told::Upsert { key, at, stored } => {
                    project(schema, stored.record, &permission.mask, &mut masked);
                    (Kind::Upsert, key, at)
                }
                Told::Delete { key, at, .. } | Told::TakenBack { key, at, .. } => (Kind::Delete, key, at),
            };
            items.push(Item {
                kind,
                key: key.to_vec(),
                time_ms: at.time_ms,
                masked,
            });
            Ok(Take::Taken)
        };
        let end = feed::page(&*snapshot, &view, &mut position, &mut visit, &|| true)
            .expect("page")
            .end;
        assert!(
            end || items.len() == limit,
            "a page ends early only when nothing is left"
        );
        let owed = self.owed.take() == Some((revision, head));
        assert!(!owed || !items.is_empty(), "a full page promised more");
        self.owed = (!end).then_some((revision, head));
        let bytes = position.to_bytes();
        assert_eq!(bytes.len(), POSITION_BYTES, "every cursor has the same length");
        self.cursor = Some((revision, bytes));
        self.pages.insert((revision, head));
        for item in &items {
            self.take(side, terms, head, item, follows, now_ms);
        }
        if end {
            self.compare(side, permission, head);
        }
        (items, end)
    }

    /// Where it goes on; with too many amendments in a row it begins again.
    fn position(&mut self, terms: &[&Permission], head: u64) -> Position {
        let Some((revision, bytes)) = self.cursor.take() else {
            return Position::load(head);
        };
        let mut position = Position::from_bytes(&bytes).expect("position");
        let (before, now) = (terms[revision], terms[terms.len() - 1]);
        if std::ptr::eq(before, now) || position.amend(revision as u32, 0, head) {
            return position;
        }
        *self = Self::new();
        Position::load(head)
    }

    fn take(
        &mut self,
        side: &Side,
        terms: &[&Permission],
        head: u64,
        item: &Item,
        follows: bool,
        now_ms: i64,
    ) {
        let lives = |at: usize| side.model.lives(terms[at], &item.key);
        let revision = terms.len() - 1;
        if item.kind == Kind::Upsert {
            let now = lives(revision);
            let life = now.iter().find(|life| life.is_there_at(head));
            let (place, shown) = life.expect("only what may be seen is told").place_at(head);
            let started = side.started(terms[revision]).expect("list");
            assert_eq!(
                item.time_ms,
                (*place).max(started).time_ms,
                "the time of what is shown"
            );
            assert_eq!(item.masked, *shown, "what is told is what is shown");
            self.copy.insert(item.key.clone(), item.masked.clone());
            return;
        }
        let seen = |(at, head): &(usize, u64)| lives(*at).iter().any(|life| life.is_there_at(*head));
        assert!(
            self.pages.iter().any(seen),
            "nobody hears of what no page could show"
        );
        let gone = lives(revision)
            .iter()
            .any(|life| life.gone.is_some_and(|gone| gone.time_ms == item.time_ms));
        assert!(
            gone || (!follows && item.time_ms == now_ms),
            "no time betrays what is hidden"
        );
        let had = self.copy.remove(&item.key).is_some();
        assert!(
            had || self.pages.len() > 1,
            "nothing is taken back that was not given"
        );
    }

    /// The copy of a recipient that has caught up is what it may hold, and nothing else.
    fn compare(&self, side: &Side, permission: &Permission, head: u64) {
        let shown = |key: &Vec<u8>| {
            let lives = side.model.lives(permission, key);
            let life = lives.iter().find(|life| life.is_there_at(head))?;
            Some((key.clone(), life.place_at(head).1.clone()))
        };
        let may: BTreeMap<_, _> = side.model.histories.keys().filter_map(shown).collect();
        assert_eq!(
            self.copy, may,
            "the copy is what the present terms show: {}",
            permission.told
        );
    }
}

impl Permission {
    /// Other fields, another scope, or both.
    fn amended(&self, random: &mut super::Random, schema: &super::Schema, list: ListId) -> Self {
        let other = Self::random(random, schema, list);
        let sight: Sight = self.sight.clone();
        match random.below(3) {
            0 => Self {
                sight,
                told: format!("{} with the scope of {}", other.told, self.told),
                ..other
            },
            1 => Self {
                mask: self.mask.clone(),
                told: format!("{} with the fields of {}", other.told, self.told),
                ..other
            },
            _ => other,
        }
    }
}
