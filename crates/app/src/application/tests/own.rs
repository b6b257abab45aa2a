//! What a person sees about themselves, and what people see of a permission.

use super::*;
use crate::{disclosure::OwnFilter, permission::Standing};

fn filter(limit: usize) -> OwnFilter {
    OwnFilter {
        limit,
        ..OwnFilter::default()
    }
}

/// Somebody with this code, who has no role.
async fn citizen(cast: &Cast, code: &str) -> Ctx {
    let signed_in = SignedIn {
        code: code.into(),
        name: "Anna Ozola".into(),
        by: "development".into(),
    };
    let nobody = cast.world.ctx(Caller::Anonymous);
    let opened = cast.world.app.session_open(&nobody, &signed_in).await.unwrap();
    by(&cast.world, &opened).await
}

/// The permissions of an approved application, main first.
async fn granted(cast: &Cast) -> (String, String) {
    let number = cast.submitted().await;
    let app = &cast.world.app;
    app.application_review(&cast.lawyer().await, &number, None, None)
        .await
        .unwrap();
    let decided = app
        .application_decide(&cast.decider().await, &number, Verdict::Approve, None)
        .await
        .unwrap();
    (number, decided.value.permissions[0].to_string())
}

#[tokio::test]
async fn a_person_sees_newest_first_what_was_given_about_them_and_nobody_else_does() {
    let cast = Cast::new().await;
    let (_, permission) = granted(&cast).await;
    for fields in [None, Some(&["Surname"][..])] {
        cast.look_up(&permission, fields).await.unwrap();
    }
    let app = &cast.world.app;
    let own = citizen(&cast, ONE).await;
    let page = app.disclosure_own_list(&own, filter(1)).await.unwrap();
    let meanings: Vec<&str> = page.items[0]
        .fields
        .iter()
        .map(|field| field.meaning.as_str())
        .collect();
    assert_eq!(meanings, ["Uzvārds"], "the newest, by its meaning");
    let next = OwnFilter {
        before: page.next.clone(),
        ..filter(1)
    };
    let older = app.disclosure_own_list(&own, next).await.unwrap();
    assert_eq!(older.next, None, "null if and only if there is none");
    let meanings: Vec<&str> = older.items[0]
        .fields
        .iter()
        .map(|field| field.meaning.as_str())
        .collect();
    assert!(meanings.contains(&"Adrese: Pilsēta"), "{meanings:?}");
    for (words, count) in [(RECIPIENT, 2), ("iestādes", 2), ("slimnīca", 0)] {
        let asked = OwnFilter {
            recipient: Some(words.to_owned()),
            ..filter(10)
        };
        let found = app.disclosure_own_list(&own, asked).await.unwrap();
        assert_eq!(found.items.len(), count, "{words}");
    }
    let id = &page.items[0].id;
    let whole = app.disclosure_get_own(&own, id).await.unwrap();
    assert_eq!(whole.seen, page.items[0]);
    assert_eq!(whole.entry["subjects"], json!([ONE]));
    let other = citizen(&cast, "36184726052").await;
    assert!(
        app.disclosure_own_list(&other, filter(10))
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let refused = app.disclosure_get_own(&other, id).await.unwrap_err();
    assert_eq!(refused.code, "not_found");
    let connection = cast.world.connection(RECIPIENT, ConnectionKind::Consumer);
    assert_eq!(
        app.disclosure_own_list(&connection, filter(1))
            .await
            .unwrap_err()
            .status,
        403
    );
}

#[tokio::test]
async fn a_permission_tells_each_side_what_it_may_do_and_why_it_stands_as_it_does() {
    let cast = Cast::new().await;
    let (application, permission) = granted(&cast).await;
    let app = &cast.world.app;
    let (applicant, decider) = (cast.applicant().await, cast.decider().await);
    let seen = app.permission_show(&applicant, &permission).await.unwrap();
    assert_eq!(seen.possible, [Transition::Revoke]);
    assert_eq!(seen.row.standing, Standing::Active);
    assert_eq!(seen.application.unwrap().as_str(), application);
    let seen = app.permission_show(&decider, &permission).await.unwrap();
    assert_eq!(seen.possible, [Transition::Suspend, Transition::Revoke]);
    app.permission_move(&decider, &permission, Transition::Suspend, "Pārbaude", None)
        .await
        .unwrap();
    let seen = app.permission_show(&applicant, &permission).await.unwrap();
    let reason = seen.reason.unwrap();
    assert_eq!(
        (seen.row.standing, reason.reason.as_deref(), reason.who.as_str()),
        (Standing::Suspended, Some("Pārbaude"), "Persona 3")
    );
    let page = crate::institution::ListQuery {
        after: None,
        limit: 1,
    };
    let newest = app
        .permission_revision_list(&applicant, &permission, page)
        .await
        .unwrap();
    assert_eq!(newest.items[0].changed, ["state"]);
    let next = crate::institution::ListQuery {
        after: newest.next,
        limit: 1,
    };
    let first = app
        .permission_revision_list(&applicant, &permission, next)
        .await
        .unwrap();
    assert_eq!((first.items[0].version, first.next), (1, None));
}
