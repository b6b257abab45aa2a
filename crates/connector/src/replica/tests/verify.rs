//! A comparison with the server, and what comes meanwhile.

use dagr_model::digest::{SetDigest, record_digest};

use super::*;

fn digest(codes: &[&str]) -> String {
    let mut digest = SetDigest::default();
    for code in codes {
        let record = json!({"Code": code, "Secret": "s", "Pets": [{"Name": "Rekss"}]});
        digest.add(&record_digest(record.to_string().as_bytes()));
    }
    digest.hex()
}

fn part(range: [Option<&str>; 2], codes: &[&str], digest: &str) -> Value {
    let key = |code: Option<&str>| code.map(|code| json!({"Code": code}));
    let one = codes.first().copied().filter(|_| codes.len() == 1);
    json!({"from": key(range[0]), "to": key(range[1]), "key": key(one), "records": codes.len(), "digest": digest})
}

impl Site {
    fn compared(&self, parts: &[Value]) {
        self.gives(200, json!({"changed": false, "parts": parts}));
    }

    fn gone(&self, code: &str, next: &str) {
        let gone = json!({"operation": "delete", "key": {"Code": code}});
        self.gives(200, json!({"changes": [gone], "next": next, "end": true}));
    }

    fn digests_asked(&self) -> usize {
        let given = self.given.lock().unwrap();
        given.asked.iter().filter(|path| path.contains("/digest")).count()
    }
}

#[tokio::test]
async fn what_is_taken_back_while_a_copy_is_compared_is_gone_before_the_next_answer() {
    let site = Site::new(WHOLE);
    site.page(&["a", "b", "c"], "c1", true);
    let mut replica = site.replica(PEOPLE).await.unwrap();
    assert!(step(&mut replica).await.unwrap());
    site.page(&[], "c2", true);
    let whole = digest(&["a"]);
    site.compared(&[
        part([None, Some("b")], &["a"], &whole),
        part([Some("b"), None], &["b", "c"], &digest(&["b", "c"])),
    ]);
    // Behind the first piece: the second is of another moment then.
    site.gone("c", "c3");
    let left = part([Some("b"), None], &["b"], &digest(&["b"]));
    site.compared(&[left]);
    site.page(&[], "c4", true);
    let verified = replica.verify().await.unwrap();
    assert_eq!(site.ask("SELECT Code FROM x_people"), ["a", "b"]);
    assert_eq!(
        (verified.records, verified.repaired, verified.reloaded),
        (2, 0, false)
    );
    assert_eq!(verified.digest, digest(&["a", "b"]));
    assert_eq!((verified.exchanges, site.digests_asked()), (2, 2));
}

#[tokio::test]
async fn an_answer_stands_while_nothing_comes() {
    let site = Site::new(WHOLE);
    let mut replica = site.loaded().await;
    site.page(&[], "c2", true);
    site.compared(&[
        part([None, Some("b")], &["a"], &digest(&["a"])),
        part([Some("b"), None], &["b"], &digest(&["b"])),
    ]);
    site.page(&[], "c3", true);
    site.page(&[], "c4", true);
    let verified = replica.verify().await.unwrap();
    assert_eq!(
        (verified.records, verified.repaired, verified.exchanges),
        (2, 0, 1)
    );
}

#[tokio::test]
async fn what_differs_behind_a_load_is_said_until_it_does_not() {
    let site = Site::new(WHOLE);
    let mut replica = site.loaded().await;
    site.page(&[], "c2", true);
    let other = |site: &Site| {
        site.compared(&[part([None, None], &["z"], &digest(&["z"]))]);
        site.page(&[], "c3", true);
        // The permission gives no look-ups, neither of one nor of several.
        for _ in 0..2 {
            site.gives(403, json!({"status": 403, "code": "permission_way"}));
        }
    };
    other(&site);
    site.page(&["a", "b"], "c4", true);
    other(&site);
    let told = decided(replica.verify().await);
    assert!(told.contains("loaded anew and still differs"), "{told}");
    assert_eq!(site.note("differs"), told);
    assert!(!site.note("last_verify").is_empty(), "not at every turn");
    site.page(&[], "c5", true);
    site.compared(&[part([None, None], &[], &digest(&[]))]);
    site.page(&[], "c6", true);
    let verified = replica.verify().await.unwrap();
    assert_eq!((verified.records, verified.reloaded), (0, false));
    assert_eq!(site.note("differs"), "");
}
