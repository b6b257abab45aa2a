//! Single reads and small writes.

use super::{all, delete, get, holds, is_empty, open, put};
use crate::kv::{Engine, KvError, MAX_KEY, Table};

pub(super) fn run(engine: &dyn Engine) {
    put_get_delete(engine);
    tables_are_apart(engine);
    preconditions(engine);
    order_within_a_commit(engine);
    sizes(engine);
    refused_keys(engine);
}

fn put_get_delete(engine: &dyn Engine) {
    let kv = open(engine, "put-get-delete");
    assert!(is_empty(&*kv), "a new data set is empty");
    kv.commit(&[put(Table::Record, "a", "1"), put(Table::Record, "b", "")], &[])
        .expect("commit");
    assert_eq!(get(&*kv, Table::Record, "a").as_deref(), Some(&b"1"[..]));
    assert_eq!(
        get(&*kv, Table::Record, "b").as_deref(),
        Some(&b""[..]),
        "an empty value is a value"
    );
    assert_eq!(get(&*kv, Table::Record, "c"), None);
    kv.commit(&[put(Table::Record, "a", "2"), delete(Table::Record, "b")], &[])
        .expect("overwrite, delete");
    assert_eq!(all(&*kv, Table::Record), [(b"a".to_vec(), b"2".to_vec())]);
    kv.commit(
        &[delete(Table::Record, "absent"), delete(Table::Index, "absent")],
        &[],
    )
    .expect("delete what is absent");
    kv.commit(&[], &[]).expect("an empty commit");
    assert_eq!(all(&*kv, Table::Record).len(), 1);
}

fn tables_are_apart(engine: &dyn Engine) {
    let kv = open(engine, "tables");
    let ops: Vec<_> = Table::ALL
        .iter()
        .map(|table| put(*table, "key", [*table as u8]))
        .collect();
    kv.commit(&ops, &[]).expect("commit");
    for table in Table::ALL {
        assert_eq!(
            all(&*kv, table),
            [(b"key".to_vec(), vec![table as u8])],
            "{table:?} has its own keys"
        );
    }
}

fn preconditions(engine: &dyn Engine) {
    let kv = open(engine, "preconditions");
    let write = |value: &str, conditions: &[_]| {
        kv.commit(
            &[put(Table::Meta, "head", value), put(Table::Record, value, "x")],
            conditions,
        )
    };
    write("1", &[holds(Table::Meta, "head", None)]).expect("absent holds");
    write(
        "2",
        &[
            holds(Table::Meta, "head", Some("1")),
            holds(Table::Meta, "other", None),
        ],
    )
    .expect("both hold");
    for broken in [
        [
            holds(Table::Meta, "head", None),
            holds(Table::Meta, "other", None),
        ],
        [
            holds(Table::Meta, "head", Some("1")),
            holds(Table::Meta, "other", None),
        ],
        [
            holds(Table::Meta, "head", Some("2")),
            holds(Table::Meta, "other", Some("")),
        ],
        [
            holds(Table::Meta, "head", Some("2")),
            holds(Table::Record, "2", None),
        ],
    ] {
        assert!(
            matches!(write("3", &broken), Err(KvError::Conflict)),
            "{broken:?} must be a conflict"
        );
        assert_eq!(
            get(&*kv, Table::Meta, "head").as_deref(),
            Some(&b"2"[..]),
            "a conflict leaves nothing"
        );
        assert_eq!(get(&*kv, Table::Record, "3"), None, "a conflict leaves nothing");
    }
    write("4", &[holds(Table::Meta, "head", Some("2"))]).expect("the next commit is not disturbed");
}

fn order_within_a_commit(engine: &dyn Engine) {
    let kv = open(engine, "order");
    let twice = [
        put(Table::Record, "a", "1"),
        put(Table::Record, "a", "2"),
        delete(Table::Record, "b"),
    ];
    kv.commit(&twice, &[]).expect("commit");
    kv.commit(&[put(Table::Record, "b", "1"), delete(Table::Record, "b")], &[])
        .expect("commit");
    assert_eq!(
        all(&*kv, Table::Record),
        [(b"a".to_vec(), b"2".to_vec())],
        "the last operation on a key wins"
    );
}

fn sizes(engine: &dyn Engine) {
    let kv = open(engine, "sizes");
    let long = vec![0xff; MAX_KEY];
    let large: Vec<u8> = (0..1_258_291_u32).map(|number| (number % 251) as u8).collect();
    kv.commit(
        &[put(Table::Record, &long, &large), put(Table::Record, [0], "x")],
        &[],
    )
    .expect("longest key, 1.2 MiB");
    assert_eq!(get(&*kv, Table::Record, &long), Some(large.clone()));
    assert_eq!(
        all(&*kv, Table::Record),
        [(vec![0], b"x".to_vec()), (long.clone(), large.clone())]
    );
    kv.bulk(0, &mut |_, sink| {
        sink.put(Table::Record, &long, b"small")?;
        sink.put(Table::Version, &long, &large)
    })
    .expect("bulk");
    assert_eq!(get(&*kv, Table::Record, &long).as_deref(), Some(&b"small"[..]));
    assert_eq!(get(&*kv, Table::Version, &long), Some(large));
}

/// An empty key and one beyond `MAX_KEY` cannot be stored; asking for them is no error.
fn refused_keys(engine: &dyn Engine) {
    let kv = open(engine, "refused");
    for key in [vec![], vec![7; MAX_KEY + 1]] {
        let ops = [put(Table::Record, "good", "x"), put(Table::Record, &key, "x")];
        assert!(
            matches!(kv.commit(&ops, &[]), Err(KvError::Engine(_))),
            "{} bytes of key",
            key.len()
        );
        let bulk = kv.bulk(0, &mut |_, sink| {
            sink.put(Table::Record, b"good", b"x")?;
            sink.put(Table::Record, &key, b"x")
        });
        assert!(
            matches!(bulk, Err(KvError::Engine(_))),
            "{} bytes of key",
            key.len()
        );
        assert_eq!(get(&*kv, Table::Record, &key), None);
        kv.commit(&[delete(Table::Record, &key)], &[])
            .expect("deleting it is deleting what is absent");
        kv.bulk(0, &mut |_, sink| sink.delete(Table::Record, &key))
            .expect("in a bulk too");
    }
    assert!(is_empty(&*kv), "a refused key leaves nothing");
}
