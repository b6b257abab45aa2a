use proptest::prelude::*;

use super::*;

type Owned = (Vec<u8>, u64, Verb, [u8; 32], Vec<u8>, Vec<u8>);

fn staged(rows: &[(Vec<u8>, Vec<u8>, bool)], dir: &Path, buffer_bytes: usize) -> Staged {
    let mut stage = Stage::with_buffer(dir, buffer_bytes);
    for (at, (key, json, upsert)) in rows.iter().enumerate() {
        let verb = if *upsert { Verb::Upsert } else { Verb::Delete };
        let record = RecordRef { json, spans: key };
        stage.push(key, at as u64, verb, record).unwrap();
    }
    stage.finish().unwrap()
}

fn read(staged: &Staged) -> Result<Vec<Owned>, KvError> {
    let (mut rows, mut all) = (staged.rows()?, Vec::new());
    while let Some(row) = rows.next_row()? {
        let RecordRef { json, spans } = row.record;
        all.push((
            row.key.to_vec(),
            row.line,
            row.verb,
            *row.digest,
            json.to_vec(),
            spans.to_vec(),
        ));
    }
    Ok(all)
}

fn small() -> Vec<(Vec<u8>, Vec<u8>, bool)> {
    vec![
        (b"b".to_vec(), b"{}".to_vec(), true),
        (b"a".to_vec(), Vec::new(), false),
    ]
}

proptest! {
    #[test]
    fn rows_come_back_in_key_order_and_within_a_key_in_order_of_arrival(
        rows in prop::collection::vec(("[ab\0]{1,11}", "[x-z]{0,40}", any::<bool>()), 0..200),
        buffer_bytes in 1usize..4_000,
    ) {
        let rows: Vec<_> = rows.into_iter().map(|(key, json, upsert)| (key.into(), json.into(), upsert)).collect();
        let dir = tempfile::tempdir().unwrap();
        let staged = staged(&rows, dir.path(), buffer_bytes);
        let mut expected: Vec<Owned> = Vec::new();
        for (at, (key, json, upsert)) in rows.iter().enumerate() {
            let (verb, digest) = if *upsert {
                (Verb::Upsert, record_digest(json))
            } else {
                (Verb::Delete, NO_DIGEST)
            };
            expected.push((key.clone(), at as u64, verb, digest, json.clone(), key.clone()));
        }
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(&read(&staged).unwrap(), &expected);
        prop_assert_eq!(&read(&Staged::open(dir.path()).unwrap()).unwrap(), &expected);
    }
}

#[test]
fn a_run_of_another_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    staged(&small(), dir.path(), 1 << 20);
    let run = dir.path().join("run-000001");
    let good = std::fs::read(&run).unwrap();
    let mut other = good.clone();
    other[7] += 1;
    for bytes in [&other[..], &good[8..], &good[..5], &[]] {
        std::fs::write(&run, bytes).unwrap();
        let read = Staged::open(dir.path()).and_then(|staged| read(&staged));
        assert!(matches!(read, Err(KvError::Corrupt(_))));
    }
}

#[test]
fn a_failure_to_write_a_run_comes_out() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("run-000001")).unwrap();
    let mut stage = Stage::with_buffer(dir.path(), 1);
    let record = RecordRef {
        json: b"{}",
        spans: b"",
    };
    let mut ended = Ok(());
    for line in 0..2 {
        ended = ended.and_then(|()| stage.push(b"a", line, Verb::Upsert, record));
    }
    assert!(matches!(
        ended.and_then(|()| stage.finish().map(|_| ())),
        Err(KvError::Io(_))
    ));
}
