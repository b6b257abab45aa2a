//! Packages that somebody decides on, and what comes after them.

use super::*;

/// What would have gone on top of whatever the server has, and came to nothing, says nothing of what the server has.
#[test]
fn after_a_resync_that_came_to_nothing_the_next_package_goes_on_top_of_whatever_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    let rows = |word: &str| [(1, word.to_owned())];
    let made = |word: &str| {
        let n = compare(&state, &schema, &rows(word), None).package.unwrap();
        let mut unfinished = state.unfinished().unwrap().into_iter();
        unfinished.find(|package| package.n == n).unwrap()
    };
    let first = made("a");
    state.applied(&first, "{}", |_| Ok(())).unwrap();
    state.set_meta(crate::state::RESYNCED, "true").unwrap();
    for word in ["b", "c"] {
        let package = made(word);
        assert_eq!(package.previous, None, "{word}");
        state
            .taken_back(&package, PackageState::Rejected, false, "rejected")
            .unwrap();
    }
    let last = made("d");
    assert_eq!(last.previous, None);
    state.applied(&last, "{}", |_| Ok(())).unwrap();
    assert_eq!(made("e").previous, Some(last.id));
}

/// One decides, once: whoever comes later is told that there is nothing to decide.
#[test]
fn what_the_feeds_guard_holds_is_decided_once() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, state) = (schema("quarantine"), State::open(dir.path()).unwrap());
    let rows: Vec<_> = (0..10).map(|id| (id, "a".to_owned())).collect();
    compare(&state, &schema, &rows, None);
    let first = state.unfinished().unwrap().remove(0);
    state.applied(&first, "{}", |_| Ok(())).unwrap();
    let held = |guard| {
        let mut comparison = Comparison::begin(&state, &schema, "feed", Extent::Whole)
            .unwrap()
            .guarded(Some(guard));
        let spec = MapSpec::default();
        let mut collect = Collect::new(&schema, &spec, &mut comparison);
        collect.json(1, &record(1, "a")).unwrap();
        collect.finish().unwrap();
        comparison.finish(&[]).unwrap();
        state.unfinished().unwrap().remove(0)
    };
    // Nine of ten go.
    let package = held(9_000);
    assert_eq!(package.state, PackageState::Waiting);
    let rejected = |package: &Package| state.taken_back(package, PackageState::Rejected, true, "rejected");
    rejected(&package).unwrap();
    let package = held(8_999);
    assert!(package.is_held_here());
    assert!(State::decide_here(dir.path(), &package, true).unwrap());
    assert!(!State::decide_here(dir.path(), &package, false).unwrap());
    let package = state.unfinished().unwrap().remove(0);
    assert_eq!(
        (package.state, package.problem.clone()),
        (PackageState::Waiting, None)
    );
    rejected(&package).unwrap();
    let package = held(0);
    assert!(State::decide_here(dir.path(), &package, false).unwrap());
    assert!(!State::decide_here(dir.path(), &package, true).unwrap());
    assert!(state.unfinished().unwrap().remove(0).is_rejected_here());
}
