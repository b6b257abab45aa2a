use jiff::civil::date;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ids::DatasetName;

const TODAY: Date = date(2026, 3, 2);

fn field(name: &str) -> FieldAsked {
    FieldAsked {
        field: name.to_owned(),
        law: "4. pants".to_owned(),
    }
}

fn template() -> Template {
    Template {
        title: "Pabalstam".into(),
        use_case: "Pašvaldība piešķir pabalstu".into(),
        purpose: "Pabalsts".into(),
        legal_basis: "Sociālo pakalpojumu likums 9. pants".into(),
        fields: vec![field("Code"), field("Surname")],
        ways: vec![Way::Key, Way::Changes],
        scope: Some(Scope::Keys(vec![
            vec![json!("0001")],
            vec![json!("0002"), json!(7)],
        ])),
        quota: Some(100),
        quota_unit: QuotaUnit::Call,
        days: Some(365),
    }
}

fn filled() -> DataAsked {
    let mut asked = DataAsked::about(DatasetName::new("persons"));
    template().fill(&mut asked, TODAY);
    asked
}

#[test]
fn what_a_template_fills_in_lies_within_it() {
    assert_eq!(template().faults(), []);
    assert_eq!(template().excess(&filled(), TODAY), []);
    assert_eq!(filled().valid_to, Some(date(2027, 3, 1)));
}

#[test]
fn every_excess_is_named_at_once() {
    let mut asked = filled();
    asked.purpose = "Cits".into();
    asked.legal_basis = String::new();
    asked.fields.push(field("Phone"));
    asked.ways.push(Way::Bulk);
    asked.scope = None;
    asked.quota = Some(101);
    asked.valid_to = asked.valid_to.and_then(|to| to.tomorrow().ok());
    let places: Vec<String> = template()
        .excess(&asked, TODAY)
        .into_iter()
        .map(|fault| {
            assert_eq!(fault.rule, "template");
            fault.place
        })
        .collect();
    assert_eq!(
        places,
        [
            "purpose",
            "legal_basis",
            "fields.Phone",
            "ways",
            "scope",
            "quota",
            "valid_to"
        ]
    );
}

#[test]
fn an_empty_template_has_every_fault() {
    let none: Template = serde_json::from_value(json!({
        "title": "", "use_case": " ", "purpose": "", "legal_basis": "", "fields": [], "ways": [], "quota": 0, "days": 0,
    }))
    .unwrap();
    assert_eq!(none.faults().len(), 8);
}

/// What a permission made of it would allow, written down anew: records by their keys, per way and field.
fn allows(asked: &DataAsked, key: &[Value], way: &Way, name: &str, day: Date) -> bool {
    let in_scope = match &asked.scope {
        None => true,
        Some(Scope::Keys(keys)) => keys.iter().any(|part| key.starts_with(part)),
        Some(Scope::When(_)) => false,
    };
    in_scope
        && asked.ways.contains(way)
        && asked.fields.iter().any(|one| one.field == name)
        && asked.valid_to.is_none_or(|to| day <= to)
}

fn asked() -> impl Strategy<Value = DataAsked> {
    let names = prop::sample::subsequence(vec!["Code", "Surname", "Phone"], 1..=3);
    let ways = prop::sample::subsequence(vec![Way::Key, Way::Changes, Way::Bulk], 1..=3);
    let keys = vec![
        vec![json!("0001")],
        vec![json!("0001"), json!(1)],
        vec![json!("0002")],
        vec![json!("0002"), json!(7)],
        vec![],
    ];
    let scope = prop_oneof![
        1 => Just(None),
        4 => prop::sample::subsequence(keys, 0..=3).prop_map(|keys| Some(Scope::Keys(keys))),
    ];
    let quota = prop_oneof![Just(None), (98..103_u64).prop_map(Some)];
    let days = prop_oneof![1 => Just(None), 4 => (362..368_i64).prop_map(Some)];
    (names, ways, scope, quota, days).prop_map(|(names, ways, scope, quota, days)| DataAsked {
        fields: names.into_iter().map(field).collect(),
        ways,
        scope,
        quota,
        valid_to: days.and_then(|days| TODAY.checked_add(Span::new().days(days)).ok()),
        ..filled()
    })
}

proptest! {
    #[test]
    fn nothing_within_a_template_allows_what_the_template_does_not(asked in asked()) {
        let (template, most) = (template(), filled());
        let within = template.excess(&asked, TODAY).is_empty();
        let keys = [vec![json!("0001"), json!(1)], vec![json!("0002"), json!(7)], vec![json!("0002"), json!(8)],
            vec![json!("0003"), json!(1)]];
        let days = [TODAY, date(2027, 3, 1), date(2027, 3, 2)];
        let mut beyond = asked.quota.is_none_or(|quota| quota > 100);
        for key in &keys {
            for way in [Way::Key, Way::Changes, Way::Bulk] {
                for name in ["Code", "Surname", "Phone"] {
                    for day in days {
                        beyond |= allows(&asked, key, &way, name, day) && !allows(&most, key, &way, name, day);
                    }
                }
            }
        }
        // Whatever reaches beyond is told; what is told and reaches nothing here asks for no record at all.
        prop_assert!(!(within && beyond), "{asked:?}");
        let asks_nothing = matches!(&asked.scope, Some(Scope::Keys(keys)) if keys.is_empty());
        let holds_whole_part = matches!(&asked.scope, Some(Scope::Keys(keys)) if keys.contains(&vec![]));
        prop_assert!(within || beyond || asks_nothing || holds_whole_part, "{asked:?}");
    }
}
