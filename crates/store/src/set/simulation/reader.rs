//! A recipient that knows only what it was told, and whether it was told rightly.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use dagr_model::record::project;

use super::{
    model::{Life, Model},
    world::Permission,
};
use crate::{
    kv::Kv,
    set::{
        change::Kind,
        feed::{self, Take, Told, View},
        head::Head,
        position::{POSITION_BYTES, Position},
        stored::At,
    },
};

type Key = Vec<u8>;

/// One item of a page, as a recipient would get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub kind: Kind,
    pub key: Key,
    pub time_ms: i64,
    pub masked: Vec<u8>,
}

pub(super) struct Reader {
    permission: Rc<Permission>,
    /// Where the predicate's list began.
    started: At,
    began: u64,
    position: Vec<u8>,
    copy: BTreeMap<Key, Vec<u8>>,
    /// Heads at which pages were read.
    heads: BTreeSet<u64>,
    /// Head of the poll going on, and whether all its pages were read at it.
    poll: Option<(u64, bool)>,
    /// Last key of the first load, while it runs.
    load: Option<Key>,
    told: BTreeSet<(Key, u64)>,
    /// A page was full at this head: there must be more.
    owed_at: Option<u64>,
}

impl Reader {
    pub fn new(permission: Rc<Permission>, started: At, head: u64) -> Self {
        Self {
            permission,
            started,
            began: head,
            position: Position::load(head).to_bytes(),
            copy: BTreeMap::new(),
            heads: BTreeSet::new(),
            poll: None,
            load: Some(Vec::new()),
            told: BTreeSet::new(),
            owed_at: None,
        }
    }

    /// Reads one page of at most `limit` items, checks it against the model, and gives it.
    pub fn page(&mut self, kv: &dyn Kv, model: &Model, limit: usize) -> (Vec<Item>, bool) {
        let snapshot = kv.snapshot().expect("snapshot");
        let head = Head::read(&*snapshot).expect("head").sequence;
        let mut position = Position::from_bytes(&self.position).expect("position");
        let mut items = Vec::new();
        let permission = Rc::clone(&self.permission);
        let mut visit = |told: Told<'_>| {
            if items.len() == limit {
                return Ok(Take::Full);
            }
            items.push(match told {
                Told::TakenBack { .. } => unreachable!("the permission is never amended"),
                Told::Upsert { key, at, stored } => {
                    let mut masked = Vec::new();
                    project(&model.schema, stored.record, &permission.mask, &mut masked);
                    (
                        at,
                        Item {
                            kind: Kind::Upsert,
                            key: key.to_vec(),
                            time_ms: at.time_ms,
                            masked,
                        },
                    )
                }
                Told::Delete { key, at, .. } => (
                    at,
                    Item {
                        kind: Kind::Delete,
                        key: key.to_vec(),
                        time_ms: at.time_ms,
                        masked: Vec::new(),
                    },
                ),
            });
            Ok(Take::Taken)
        };
        let eyes = permission.eyes(&model.schema, self.started);
        let view = View {
            leaves: &permission.mask.leaves,
            scope: eyes.scope(),
            earlier: &[],
            now_ms: 0,
        };
        let end = feed::page(&*snapshot, &view, &mut position, &mut visit, &|| true)
            .expect("page")
            .end;
        self.position = position.to_bytes();
        assert_eq!(
            self.position.len(),
            POSITION_BYTES,
            "every cursor has the same length"
        );
        assert!(
            end || items.len() == limit,
            "a page ends early only when there is nothing more"
        );
        let owed = self.owed_at.take() == Some(head);
        assert!(!owed || !items.is_empty(), "a full page promised more");
        self.owed_at = (!end).then_some(head);

        let one_head = self.poll.is_none_or(|(began, one)| one && began == head);
        self.poll = Some((head, one_head));
        for (at, item) in &items {
            self.take(model, head, one_head, *at, item);
        }
        self.heads.insert(head);
        if end {
            self.poll = None;
            self.load = None;
            self.compare(model, head);
        }
        (items.into_iter().map(|(_, item)| item).collect(), end)
    }

    fn take(&mut self, model: &Model, head: u64, one_head: bool, at: At, item: &Item) {
        let lives = model.lives(&self.permission, &item.key);
        match item.kind {
            Kind::Upsert => self.take_upsert(&lives, head, at, item),
            Kind::Delete => self.take_delete(&lives, one_head, at, item),
        }
    }

    fn take_upsert(&mut self, lives: &[Life], head: u64, at: At, item: &Item) {
        let life = lives
            .iter()
            .find(|life| life.is_there_at(head))
            .expect("only what is visible is told");
        let (place, shown) = life.place_at(head);
        assert_eq!(
            at,
            (*place).max(self.started),
            "it stands where its shown leaves last changed"
        );
        assert_eq!(item.masked, *shown, "what is told is what is shown");
        let loading = self
            .load
            .as_ref()
            .is_some_and(|last| life.entered.sequence <= self.began && item.key > *last);
        if loading {
            self.load = Some(item.key.clone());
        } else {
            self.load = None;
            assert!(
                place.sequence > self.began,
                "what the load told is not told again unless it changed"
            );
            assert!(
                self.told.insert((item.key.clone(), place.sequence)),
                "nothing is told twice"
            );
        }
        self.copy.insert(item.key.clone(), item.masked.clone());
    }

    fn take_delete(&mut self, lives: &[Life], one_head: bool, at: At, item: &Item) {
        self.load = None;
        let life = lives
            .iter()
            .find(|life| life.gone == Some(at))
            .expect("only what left is told as a delete");
        let seen = self
            .heads
            .range(life.entered.sequence..at.sequence)
            .next()
            .is_some();
        assert!(seen, "nobody hears of what came and went between two pages");
        let had = self.copy.remove(&item.key).is_some();
        assert!(had || !one_head, "a delete is told if and only if it was given");
        assert!(
            self.told.insert((item.key.clone(), at.sequence)),
            "no delete is told twice"
        );
    }

    /// The copy of a recipient that has caught up is what it may see.
    fn compare(&self, model: &Model, head: u64) {
        for key in model.histories.keys() {
            let lives = model.lives(&self.permission, key);
            let shown = lives
                .iter()
                .find(|life| life.is_there_at(head))
                .map(|life| &life.place_at(head).1);
            assert_eq!(self.copy.get(key), shown, "the copy equals what may be seen");
        }
        assert!(self.copy.keys().all(|key| model.histories.contains_key(key)));
    }
}
