//! Pages of different width under terms that change: a digest is made only of what every record was given with.

use super::*;
use crate::digest::ToldDigest;

/// What a page shows of each record.
#[derive(Debug, Clone, Copy)]
enum Width {
    Keys,
    OneField,
    Whole,
}

use Width::{Keys, OneField, Whole};

#[derive(Debug, Clone)]
enum Step {
    Deliver(Vec<(u8, Option<Content>)>),
    Amend(Terms),
    Read(u64, Width),
    Restart,
}

fn width() -> impl Strategy<Value = Width> {
    prop_oneof![1 => Just(Keys), 1 => Just(OneField), 3 => Just(Whole)]
}

fn step() -> impl Strategy<Value = Step> {
    let change = (0..CODES, prop::option::weighted(0.8, content()));
    prop_oneof![
        4 => prop::collection::vec(change, 1..5).prop_map(Step::Deliver),
        2 => (0..FIELDS.len(), 0..7usize).prop_map(Step::Amend),
        6 => (prop::sample::select(vec![1, 2, 50]), width()).prop_map(|(limit, width)| Step::Read(limit, width)),
        1 => Just(Step::Restart),
    ]
}

struct Reader {
    site: Site,
    terms: Terms,
    after: Option<String>,
    /// By code: the fields that its last item showed.
    copy: BTreeMap<String, BTreeSet<&'static str>>,
    /// Of it those that were deleted, which no page has told yet: no digest holds them.
    gone: BTreeSet<String>,
    end: bool,
    /// Every page so far showed everything.
    only_whole: bool,
    compared: [u32; 2],
}

impl Reader {
    async fn new() -> Self {
        Self {
            site: Site::new((0, 0)).await,
            terms: (0, 0),
            after: None,
            copy: BTreeMap::new(),
            gone: BTreeSet::new(),
            end: false,
            only_whole: true,
            compared: [0; 2],
        }
    }

    /// The fields that a page or a digest of this width shows, besides keys.
    fn shown(&self, width: Width) -> &'static [&'static str] {
        let all = FIELDS[self.terms.0];
        match width {
            Keys => &[],
            OneField => &all[..all.len().min(1)],
            Whole => all,
        }
    }

    /// As `fields` of a call.
    fn asked(&self, width: Width) -> Option<Vec<String>> {
        let keys = ["Code"].iter();
        let named = || {
            keys.chain(self.shown(width))
                .map(|name| (*name).to_owned())
                .collect()
        };
        (!matches!(width, Whole)).then(named)
    }

    fn restart(&mut self) {
        (self.after, self.end, self.only_whole) = (None, false, true);
        self.copy.clear();
    }

    async fn read(&mut self, limit: u64, width: Width) {
        let query = ChangesQuery {
            after: self.after.clone(),
            limit: Some(limit),
            include_record: !matches!(width, Keys),
            fields: self.asked(width),
            ..ChangesQuery::default()
        };
        let (app, reader) = (&self.site.world.app, &self.site.reader);
        let page = match app.change_list(reader, Section::Main, "bss_back", query).await {
            Ok(page) => page.into_inner().body,
            Err(problem) => {
                assert_eq!(problem.code, "cursor_expired", "{}", problem.detail);
                return self.restart();
            }
        };
        let page: Value = serde_json::from_slice(&page).unwrap();
        for change in page["changes"].as_array().unwrap() {
            let code = change["key"]["Code"].to_string();
            self.gone.remove(&code);
            if change["operation"] == "delete" {
                self.copy.remove(&code);
            } else {
                self.copy
                    .insert(code, self.shown(width).iter().copied().collect());
            }
        }
        self.only_whole &= matches!(width, Whole);
        self.after = page["next"].as_str().map(str::to_owned);
        self.end = page["end"] == true;
    }

    /// Asks for a digest of this width: where it is made, every record was given so wide.
    async fn digest(&mut self, width: Width) {
        let Some(after) = self.after.clone() else { return };
        let asked = ToldDigest {
            after,
            fields: self.asked(width),
            ..ToldDigest::default()
        };
        let (app, reader) = (&self.site.world.app, &self.site.reader);
        let answer = app.told_digest(reader, Section::Main, "bss_back", asked).await;
        let shown = self.shown(width);
        let given = |fields: &BTreeSet<&str>| shown.iter().all(|name| fields.contains(name));
        match answer {
            Ok(_) => {
                let Self { copy, gone, .. } = &*self;
                let held = |(code, fields): (&String, &BTreeSet<&str>)| gone.contains(code) || given(fields);
                assert!(copy.iter().all(held), "{width:?} of {copy:?} without {gone:?}");
                self.compared[0] += 1;
            }
            Err(problem) if problem.code == "cursor_fields" => {
                assert!(!self.only_whole && !shown.is_empty(), "{width:?}");
                self.compared[1] += 1;
            }
            Err(problem) => {
                let pending = matches!(problem.code, "state_conflict" | "cursor_expired");
                assert!(pending, "{}", problem.detail);
                assert!(
                    problem.code != "state_conflict" || !self.end,
                    "{}",
                    problem.detail
                );
            }
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Deliver(changes) => {
                let lines = changes.iter().map(|(code, content)| match content {
                    Some(content) => upsert(*code, *content, 0),
                    None => delete(*code),
                });
                let lines: String = lines.collect();
                let last: BTreeMap<u8, bool> = changes
                    .iter()
                    .map(|(code, content)| (*code, content.is_none()))
                    .collect();
                let deleted = last.into_iter().filter(|(_, deleted)| *deleted);
                self.gone.extend(deleted.map(|(code, _)| format!("\"c{code}\"")));
                self.site.deliver(&lines).await;
            }
            Step::Amend(terms) => {
                self.terms = terms;
                self.site.amend(terms).await;
                self.end = false;
            }
            Step::Read(limit, width) => self.read(limit, width).await,
            Step::Restart => self.restart(),
        }
        for width in [Keys, OneField, Whole] {
            self.digest(width).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_digest_shows_no_more_than_every_record_was_given_with(steps in prop::collection::vec(step(), 1..40)) {
        run(steps);
    }
}

fn run(steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut reader = Reader::new().await;
        for step in steps {
            reader.step(step).await;
        }
    });
}

/// One that was given with its key alone is deleted while everything is told anew, with a field: the digest is of the others.
#[test]
fn a_digest_is_made_though_a_record_that_is_gone_was_given_with_less() {
    let some = |codes: &[u8]| Step::Deliver(codes.iter().map(|code| (*code, Some((0, 0, 0)))).collect());
    run(vec![
        some(&[0, 2]),
        Step::Amend((1, 0)),
        some(&[4, 5]),
        Step::Read(2, Keys),
        Step::Read(2, Keys),
        some(&[1]),
        Step::Amend((2, 2)),
        Step::Read(2, OneField),
        Step::Deliver(vec![(4, None)]),
        Step::Read(2, OneField),
    ]);
}

/// Steps with their widths, then which digests are made.
async fn made(steps: &[Step]) -> [bool; 3] {
    let mut reader = Reader::new().await;
    let three = (0..3).map(|code| (code, Some((0, code, 0)))).collect();
    reader.step(Step::Deliver(three)).await;
    for step in steps {
        reader.step(step.clone()).await;
    }
    assert!(reader.end);
    let mut made = [false; 3];
    for (at, width) in [Keys, OneField, Whole].into_iter().enumerate() {
        let before = reader.compared[0];
        reader.digest(width).await;
        made[at] = reader.compared[0] > before;
    }
    made
}

#[tokio::test]
async fn pages_of_different_width_have_the_narrowest_in_common() {
    let all = |width| Step::Read(50, width);
    let amended = |terms, width| [Step::Amend(terms), all(width)];
    let (keys, one, whole) = ([true, false, false], [true, true, false], [true; 3]);
    assert_eq!(made(&[all(Keys)]).await, keys);
    assert_eq!(made(&[all(OneField)]).await, one);
    assert_eq!(made(&[all(Whole)]).await, whole);
    assert_eq!(
        made(&[all(OneField), all(Whole)]).await,
        one,
        "the first page stays narrow"
    );
    assert_eq!(made(&[all(Whole), all(OneField)]).await, one);
    assert_eq!(made(&[all(Whole), all(Keys), all(Whole)]).await, keys);
    // Half of the keys: the others are not told again.
    assert_eq!(
        made(&[&[all(Keys)][..], &amended((0, 1), Whole)].concat()).await,
        keys
    );
    // Other fields: everything is told again.
    assert_eq!(
        made(&[&[all(Keys)][..], &amended((1, 0), Whole)].concat()).await,
        whole
    );
    for terms in [(1, 0), (2, 0), (0, 1)] {
        let steps = [&[all(Whole)][..], &amended(terms, Whole), &amended((0, 0), Whole)].concat();
        assert_eq!(made(&steps).await, whole, "{terms:?}");
    }
}

/// As a cursor that was sealed before cursors told what was given.
#[tokio::test]
async fn of_an_older_cursor_only_keys_are_sure() {
    let mut reader = Reader::new().await;
    reader.step(Step::Deliver(vec![(1, Some((0, 0, 0)))])).await;
    reader.read(50, Whole).await;
    let cursors = &reader.site.world.app.secrets.cursors;
    let mut cursor = cursors.open(reader.after.as_deref().unwrap()).unwrap();
    cursor.given = crate::given::Given::default();
    reader.after = Some(cursors.seal(&cursor));
    reader.only_whole = false;
    for _ in 0..2 {
        reader.digest(Whole).await;
        reader.digest(OneField).await;
        assert_eq!(reader.compared[0], 0);
        reader.digest(Keys).await;
        assert_eq!(std::mem::take(&mut reader.compared), [1, 2]);
        reader.read(50, Whole).await;
    }
    reader.restart();
    reader.read(50, Whole).await;
    reader.digest(Whole).await;
    assert_eq!(reader.compared, [1, 0], "loaded anew");
}
