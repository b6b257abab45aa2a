use std::sync::Arc;

use dagr_model::{definition::Definition, fault::Fault, permission::*, schema::Schema};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde_json::json;

use crate::*;

const DEFINITION: &str = "
name: test_pets
key: Code(, Year)
data_description: Pets
fields:
  - Code : Person
  - Year int : Year
  - Surname : Surname
  - City : City
  - Pets * :
      comments : Pets
      fields:
        - Species : Species
        - Age int : Age
indexes: [Surname, [City, Surname]]
changes: [{name: moved, when: \"new.City != old.City\"}]
history: true
";

fn schema() -> Arc<Schema> {
    let definition = Definition::parse(DEFINITION).expect("definition");
    Arc::new(Schema::compile(Arc::new(definition), None))
}

fn permission() -> Permission {
    serde_json::from_value(json!({
        "number": "P-1", "dataset": "test_pets", "recipient": "90000000001", "environment": "main",
        "purpose": "tests", "legal_basis": "law", "fields": ["Code", "Year", "Surname", "Pets.Species"],
        "scope": null, "ways": ["key", "index:Surname", "changes", "list:moved", "bulk", "history"],
        "quota": null, "quota_unit": "call", "rate_per_second": null, "misses_per_hour": null,
        "valid_from": "2024-01-01", "valid_to": "2024-12-31", "case_required": false, "state": "active", "revision": 1,
    }))
    .expect("permission")
}

fn grant(change: impl FnOnce(&mut Permission)) -> Grant {
    let mut permission = permission();
    change(&mut permission);
    Grant::compile(Arc::new(permission), schema()).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn key(values: serde_json::Value) -> Vec<u8> {
    schema().key_from_values(values.as_array().unwrap()).expect("key")
}

fn ask(way: Way, target: Target) -> Ask {
    Ask {
        way,
        fields: None,
        target,
        case: None,
        today: date(2024, 6, 1),
        left: None,
    }
}

fn one() -> Ask {
    ask(Way::Key, Target::Keys(vec![Ok(key(json!(["a", 2020])))]))
}

fn fields(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn fault(rule: &str) -> Fault {
    Fault::new("Year", rule, "not a whole number")
}

fn scoped(permission: &mut Permission) {
    permission.scope = Some(Scope::Keys(vec![vec![json!("a")], vec![json!("b"), json!(2020)]]));
}

#[test]
fn every_refusal_in_its_order() {
    use PermissionState::{Revoked, Suspended};
    let page = || Target::Page(Ok(()));
    let hidden = |permission: &mut Permission| permission.fields = vec!["Code".into(), "Surname".into()];
    let outside = |way| {
        ask(
            way,
            Target::Keys(vec![Ok(key(json!(["c", 1]))), Ok(key(json!(["a", 1])))]),
        )
    };
    let cases: Vec<(Option<Code>, Grant, Ask)> = vec![
        (None, grant(|_| {}), one()),
        (
            Some(Code::PermissionSuspended),
            grant(|p| p.state = Suspended),
            Ask {
                today: date(2020, 1, 1),
                ..one()
            },
        ),
        (
            Some(Code::PermissionRevoked),
            grant(|p| p.state = Revoked),
            Ask {
                today: date(2026, 1, 1),
                ..one()
            },
        ),
        (
            Some(Code::PermissionNotYetValid),
            grant(|_| {}),
            Ask {
                today: date(2023, 12, 31),
                ..one()
            },
        ),
        (
            None,
            grant(|_| {}),
            Ask {
                today: date(2024, 1, 1),
                ..one()
            },
        ),
        (
            None,
            grant(|_| {}),
            Ask {
                today: date(2024, 12, 31),
                ..one()
            },
        ),
        (
            Some(Code::PermissionExpired),
            grant(|p| p.case_required = true),
            Ask {
                today: date(2025, 1, 1),
                ..one()
            },
        ),
        (
            Some(Code::CaseRequired),
            grant(|p| p.case_required = true),
            Ask {
                fields: Some(fields(&["No"])),
                ..one()
            },
        ),
        (
            Some(Code::CaseRequired),
            grant(|p| p.case_required = true),
            Ask {
                case: Some(" ".into()),
                ..one()
            },
        ),
        (
            None,
            grant(|p| p.case_required = true),
            Ask {
                case: Some("7".into()),
                ..one()
            },
        ),
        (
            Some(Code::PermissionWay),
            grant(|p| p.ways = vec![Way::Bulk]),
            Ask {
                fields: Some(fields(&["No"])),
                ..one()
            },
        ),
        (
            Some(Code::PermissionWay),
            grant(hidden_with_key(hidden)),
            ask(Way::Changes, page()),
        ),
        (
            Some(Code::PermissionWay),
            grant(hidden_with_key(hidden)),
            ask(Way::Key, Target::Leading(Ok(key(json!(["a"]))))),
        ),
        (None, grant(hidden_with_key(hidden)), one()),
        (None, grant(|_| {}), ask(Way::Index("Surname".into()), page())),
        (
            Some(Code::PermissionWay),
            grant(|_| {}),
            ask(Way::Index("City,Surname".into()), page()),
        ),
        (
            Some(Code::FieldUnknown),
            grant(|_| {}),
            Ask {
                fields: Some(fields(&["City", "Citi"])),
                ..one()
            },
        ),
        (
            Some(Code::FieldUnknown),
            grant(|_| {}),
            Ask {
                fields: Some(vec![]),
                ..one()
            },
        ),
        (
            Some(Code::PermissionField),
            grant(|_| {}),
            Ask {
                fields: Some(fields(&["Pets"])),
                target: bad_key(),
                ..one()
            },
        ),
        (
            None,
            grant(|_| {}),
            Ask {
                fields: Some(fields(&["Pets.Species"])),
                ..one()
            },
        ),
        (
            Some(Code::KeyInvalid),
            grant(scoped),
            Ask {
                target: bad_key(),
                ..one()
            },
        ),
        (
            Some(Code::KeyInvalid),
            grant(scoped),
            ask(Way::Key, Target::Leading(Err(fault("key_invalid")))),
        ),
        (
            Some(Code::CursorInvalid),
            grant(|_| {}),
            ask(Way::Changes, Target::Page(Err(fault("cursor_invalid")))),
        ),
        (
            Some(Code::PermissionScope),
            grant(scoped),
            Ask {
                left: Some(0),
                ..outside(Way::Bulk)
            },
        ),
        (None, grant(scoped), one()),
        (
            None,
            grant(scoped),
            ask(Way::Key, Target::Leading(Ok(key(json!(["b"]))))),
        ),
        (
            Some(Code::PermissionScope),
            grant(scoped),
            ask(Way::Key, Target::Leading(Ok(key(json!(["c"]))))),
        ),
        (None, grant(scoped), ask(Way::Changes, page())),
        (
            Some(Code::PermissionExhausted),
            grant(|_| {}),
            Ask {
                left: Some(0),
                ..ask(Way::Changes, page())
            },
        ),
        (
            Some(Code::PermissionExhausted),
            grant(|_| {}),
            Ask {
                left: Some(1),
                ..outside(Way::Bulk)
            },
        ),
        (
            None,
            grant(|_| {}),
            Ask {
                left: Some(2),
                ..outside(Way::Bulk)
            },
        ),
    ];
    for (at, (code, grant, ask)) in cases.iter().enumerate() {
        assert_eq!(
            refuse(grant, ask).map(|refusal| refusal.code),
            *code,
            "case {at}: {ask:?}"
        );
    }
}

fn hidden_with_key(hidden: impl Fn(&mut Permission)) -> impl FnOnce(&mut Permission) {
    move |permission| hidden(permission)
}

fn bad_key() -> Target {
    Target::Keys(vec![Err(fault("key_invalid"))])
}

#[test]
fn a_lookup_names_the_place_and_never_the_key() {
    let keys = vec![Ok(key(json!(["a", 1]))), Ok(key(json!(["secret", 1])))];
    let refusal = refuse(&grant(scoped), &ask(Way::Bulk, Target::Keys(keys))).expect("refused");
    assert_eq!(refusal.faults[0].place, "keys[1]");
    assert!(!format!("{refusal:?}").contains("secret"));
    let short = Ask {
        left: Some(1),
        ..ask(Way::Bulk, Target::Keys(vec![Ok(vec![1]), Ok(vec![2])]))
    };
    assert!(
        refuse(&grant(|_| {}), &short)
            .expect("refused")
            .detail
            .contains("1 are left")
    );
}

#[test]
fn faults_of_a_permission_all_at_once() {
    let mut broken = permission();
    broken.fields = vec!["Surnam".into(), "Pets".into()];
    broken.ways = vec![
        Way::Index("Surname".into()),
        Way::List("mved".into()),
        Way::Index("Pets".into()),
    ];
    broken.scope = Some(Scope::When("record.Cty == 'x'".into()));
    broken.quota = Some(0);
    broken.valid_to = Some(date(2023, 1, 1));
    let faults = Grant::compile(Arc::new(broken), schema()).expect_err("faults");
    for (place, said) in [
        ("fields.Surnam", "Surname"),
        ("fields.Pets", "one by one"),
        ("ways.index:Surname", "not among the fields"),
        ("ways.list:mved", "moved"),
        ("ways.index:Pets", "no such index"),
        ("scope.when, line 1", "did you mean City?"),
        ("quota", "allow nothing"),
        ("valid_to", "before valid_from"),
    ] {
        let found = |fault: &Fault| fault.place.starts_with(place) && fault.message.contains(said);
        assert!(faults.iter().any(found), "{place}: {faults:?}");
    }
    let mut keys = permission();
    keys.scope = Some(Scope::Keys(vec![
        vec![json!("a")],
        vec![json!("a"), json!("not a year")],
    ]));
    let faults = Grant::compile(Arc::new(keys), schema()).expect_err("faults");
    assert!(
        faults[0].place.starts_with("scope.keys[1]") && !format!("{faults:?}").contains("not a year"),
        "{faults:?}"
    );
}

#[test]
fn the_tree_shows_what_is_granted() {
    let tree = access_tree(&grant(|_| {}));
    let leaf = |name: &str, access: &str| json!({"name": name, "read_access": access, "properties": null});
    let pets = json!({"name": "Pets", "read_access": "partial", "properties": [leaf("Species", "full"), leaf("Age", "none")]});
    let expected = json!({"name": "test_pets", "read_access": "partial", "properties": [
        leaf("Code", "full"), leaf("Year", "full"), leaf("Surname", "full"), leaf("City", "none"), pets,
    ]});
    assert_eq!(tree, expected);
    let all = resolve_fields(&schema(), &["all".to_owned()]).unwrap();
    assert_eq!(access_tree(&grant(|p| p.fields = all)), leaf("test_pets", "full"));
}

#[test]
fn fields_resolve_to_leaves_in_definition_order() {
    let resolved = resolve_fields(&schema(), &["Pets".into(), "Code".into(), "Pets.Age".into()]).unwrap();
    assert_eq!(resolved, ["Code", "Pets.Species", "Pets.Age"]);
    let faults = resolve_fields(&schema(), &["Pets.Agee".into(), "all".into()]).expect_err("unknown");
    assert_eq!(faults.len(), 2);
    assert!(faults[0].message.contains("Pets.Age"));
}

#[test]
fn a_predicate_depends_on_the_record() {
    let grant = grant(|p| p.scope = Some(Scope::When("City == 'Ogre'".into())));
    let explanation = serde_json::to_value(explain(&grant, &one())).unwrap();
    assert_eq!(explanation["answer"], "depends_on_record");
    assert_eq!(explanation["code"], json!(null));
    assert!(explanation["reasons"].to_string().contains("City == 'Ogre'"));
    assert_eq!(
        explanation["fields"],
        json!(["Code", "Year", "Surname", "Pets.Species"])
    );
}

#[test]
fn codes_are_unique() {
    let mut texts: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), Code::ALL.len());
}

fn any_target() -> impl Strategy<Value = Target> {
    let full = (prop::sample::select(vec!["a", "b", "c"]), 2019..2022)
        .prop_map(|(code, year)| key(json!([code, year])));
    let full = prop_oneof![4 => full.prop_map(Ok), 1 => Just(Err(fault("key_invalid")))];
    let leading = prop::sample::select(vec!["a", "b", "c"]).prop_map(|code| Ok(key(json!([code]))));
    let rule = prop::sample::select(vec!["key_invalid", "cursor_invalid"]);
    prop_oneof![
        prop::collection::vec(full, 1..4).prop_map(Target::Keys),
        prop_oneof![leading, Just(Err(fault("key_invalid")))].prop_map(Target::Leading),
        prop_oneof![Just(Ok(())), rule.prop_map(|rule| Err(fault(rule)))].prop_map(Target::Page),
    ]
}

fn any_today() -> impl Strategy<Value = Date> {
    prop_oneof![5 => Just(date(2024, 6, 1)), 1 => Just(date(2023, 1, 1)), 1 => Just(date(2025, 1, 1))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn refuse_decide_and_explain_agree(
        target in any_target(),
        today in any_today(),
        way in prop::sample::select(vec!["key", "bulk", "changes", "index:Surname", "list:moved", "history"]),
        narrowed in prop::option::of(prop::collection::vec(prop::sample::select(vec!["Code", "Pets", "City", "Oops", "Surname"]), 0..3)),
        left in prop::option::of(0..4u64),
        state in prop::sample::select(vec![PermissionState::Active, PermissionState::Active, PermissionState::Suspended]),
        scope in 0..3, hide in any::<bool>(), case in any::<bool>(),
    ) {
        let grant = grant(|permission| {
            permission.state = state;
            permission.case_required = case;
            match scope {
                0 => scoped(permission),
                1 => permission.scope = Some(Scope::When("Year > 2000".into())),
                _ => {}
            }
            if hide {
                permission.fields = vec!["Code".into(), "Surname".into()];
            }
        });
        let fields = narrowed.map(|names| names.into_iter().map(str::to_owned).collect());
        let ask = Ask { way: way.parse().unwrap(), fields, target, case: None, today, left };
        let refused = refuse(&grant, &ask);
        let decision = decide(&grant, &ask);
        let explanation = explain(&grant, &ask);
        prop_assert_eq!(&refused, &decision.refusal);
        prop_assert_eq!(explanation.code, refused.as_ref().map(|refusal| refusal.code.as_str()));
        prop_assert_eq!(explanation.answer == Answer::Refused, refused.is_some());
        let failed = decision.reasons.iter().filter(|reason| !reason.ok).count();
        prop_assert_eq!(failed, usize::from(refused.is_some()));
        prop_assert!(decision.mask.leaves.is_subset(&grant.mask.leaves));
        prop_assert_eq!(refused.is_some(), decision.fields.is_empty());
        prop_assert!(decision.fields.iter().all(|path| grant.shows(path)));
    }

    #[test]
    fn key_sets_are_prefix_sets(
        prefixes in prop::collection::vec(prop::collection::vec(0..3u8, 1..4), 0..12),
        asked in prop::collection::vec(0..3u8, 1..6),
    ) {
        let set = KeySet::new(prefixes.clone()).unwrap();
        prop_assert_eq!(set.contains(&asked), prefixes.iter().any(|prefix| asked.starts_with(prefix)));
        let touches = prefixes.iter().any(|prefix| asked.starts_with(prefix) || prefix.starts_with(&asked));
        prop_assert_eq!(set.touches_prefix(&asked), touches);
        let ranges: Vec<&[u8]> = set.under(&asked).collect();
        prop_assert_eq!(ranges.is_empty(), !touches);
        prop_assert!(ranges.iter().all(|range| range.starts_with(&asked) && set.contains(range)));
        let all: Vec<&[u8]> = set.iter().collect();
        prop_assert!(all.windows(2).all(|pair| pair[0] < pair[1] && !pair[1].starts_with(pair[0])));
        prop_assert!(prefixes.iter().all(|prefix| set.contains(prefix)));
    }
}
