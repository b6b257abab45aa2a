use proptest::prelude::*;
use serde_json::json;

use super::*;

const APPLICANT: &str = "40000000002";
const PROVIDER: &str = "40000000001";
const KEEPER: &str = "90000000009";

fn by(person: i64, institution: &str, roles: &[Role]) -> Signatory {
    Signatory {
        person: PersonId(person),
        institution: RegistrationNumber::new(institution),
        roles: roles.iter().copied().collect(),
    }
}

fn applicant() -> Signatory {
    by(1, APPLICANT, &[Role::DataManager])
}

fn provider() -> Signatory {
    by(2, PROVIDER, &[Role::Head])
}

fn lawyer() -> Signatory {
    by(3, PROVIDER, &[Role::LegalReviewer])
}

fn at() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn asked() -> Asked {
    let asked = json!({
        "kind": "data", "dataset": "persons", "environments": ["main", "sandbox"], "purpose": "pabalsts",
        "legal_basis": "SPSP likums", "use_case": "lēmums", "quota": 100, "ways": ["key", "index:Surname"],
        "fields": [
            { "field": "Code", "law": "4. pants" },
            { "field": "Surname", "law": "4. pants" },
            { "field": "Address", "law": "5. pants" },
        ],
    });
    serde_json::from_value(asked).unwrap()
}

fn draft() -> Application {
    Application::draft(
        ApplicationNumber::new("200001"),
        Some(RegistrationNumber::new(PROVIDER)),
        asked(),
        &applicant(),
    )
    .unwrap()
}

fn submit() -> Event {
    Event::Submit {
        due: "2026-03-16".parse().unwrap(),
        seal: "h..s".into(),
    }
}

fn decide(verdict: Verdict) -> Event {
    Event::Decide {
        verdict,
        seal: "h..s".into(),
    }
}

fn partial(fields: &[&str]) -> Verdict {
    Verdict::Partial {
        refused: fields
            .iter()
            .map(|field| FieldRefused {
                field: (*field).into(),
                reason: "nav vajadzīgs".into(),
            })
            .collect(),
    }
}

fn returned() -> Event {
    Event::Return {
        remarks: vec![Remark {
            place: Some("fields.Address".into()),
            text: "kādam nolūkam?".into(),
        }],
    }
}

#[test]
fn a_whole_life() {
    let submitted = draft().apply(&submit(), &applicant(), at()).unwrap();
    assert_eq!(submitted.stage.name(), "submitted");
    let returned = submitted.apply(&returned(), &lawyer(), at()).unwrap();
    assert_eq!(returned.stage.due(), None);
    let amend = Event::Amend {
        asked: Box::new(asked()),
    };
    let amended = returned.apply(&amend, &applicant(), at()).unwrap();
    let again = amended.apply(&submit(), &applicant(), at()).unwrap();
    assert_eq!(again.stage.name(), "resubmitted");
    let passed = again
        .apply(&Event::Review { note: None }, &lawyer(), at())
        .unwrap();
    assert_eq!(passed.stage.name(), "legal_review");
    let decided = passed
        .apply(&decide(partial(&["Address"])), &provider(), at())
        .unwrap();
    assert_eq!(decided.granted(), ["Code", "Surname"]);
    assert!(decided.possible().is_empty());
    let once_more = decided.apply(&decide(Verdict::Approve), &provider(), at());
    assert!(once_more.unwrap_err().to_string().contains("final"));
}

#[test]
fn one_click_decides_what_was_submitted() {
    let submitted = draft().apply(&submit(), &applicant(), at()).unwrap();
    let decided = submitted
        .apply(&decide(Verdict::Approve), &provider(), at())
        .unwrap();
    assert_eq!(decided.granted(), ["Code", "Surname", "Address"]);
}

#[test]
fn who_may_not_is_told_who_may() {
    let submitted = draft().apply(&submit(), &applicant(), at()).unwrap();
    let head_of_applicant = by(9, APPLICANT, &[Role::Head]);
    let operator = by(8, KEEPER, &[Role::Operator]);
    for nobody in [&head_of_applicant, &operator, &lawyer(), &by(7, PROVIDER, &[])] {
        let refused = submitted
            .apply(&decide(Verdict::Approve), nobody, at())
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("decide needs the role head or data_manager in institution {PROVIDER}")
        );
    }
    // The submitter, acting for the provider now.
    let both = by(1, PROVIDER, &[Role::Head]);
    assert_eq!(
        submitted.apply(&decide(Verdict::Approve), &both, at()),
        Err(Refused::OwnApplication)
    );
    let early = draft()
        .apply(&decide(Verdict::Approve), &provider(), at())
        .unwrap_err();
    assert_eq!(
        early.to_string(),
        "the application is draft: decide is not possible now; possible are amend, submit, withdraw"
    );
}

#[test]
fn what_is_missing_is_told_at_once() {
    let empty = json!({ "kind": "data", "dataset": "persons", "fields": [{ "field": "Code" }] });
    let empty: Asked = serde_json::from_value(empty).unwrap();
    let application = Application {
        asked: empty,
        ..draft()
    };
    let Err(Refused::Invalid(faults)) = application.apply(&submit(), &applicant(), at()) else {
        panic!("submitted")
    };
    let places: Vec<&str> = faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "environments",
            "purpose",
            "legal_basis",
            "use_case",
            "fields.Code.law",
            "ways"
        ]
    );
    let submitted = draft().apply(&submit(), &applicant(), at()).unwrap();
    for (refused, rule) in [
        (partial(&[]), "required"),
        (partial(&["Adress"]), "field_unknown"),
        (partial(&["Code", "Code"]), "repeated"),
        (partial(&["Code", "Surname", "Address"]), "nothing_left"),
    ] {
        let Err(Refused::Invalid(faults)) = submitted.apply(&decide(refused), &provider(), at()) else {
            panic!("decided")
        };
        assert_eq!(faults[0].rule, rule);
    }
}

#[test]
fn an_index_goes_with_its_field() {
    let ways = draft().ways_with(&["Code".into(), "Address".into()]);
    assert_eq!(ways, [Way::Key]);
}

#[test]
fn stored_forms_are_read_again() {
    let decided = draft()
        .apply(&submit(), &applicant(), at())
        .and_then(|it| it.apply(&decide(partial(&["Code"])), &provider(), at()))
        .unwrap();
    let stored = serde_json::to_string(&decided).unwrap();
    // By way of a value: tagged enums and exact numbers do not read straight from text.
    let value: serde_json::Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(value["stage"]["name"], "decided");
    assert_eq!(serde_json::from_value::<Application>(value).unwrap(), decided);
}

#[test]
fn a_role_is_given_by_an_operator_who_did_not_ask() {
    let asked: Asked =
        serde_json::from_value(json!({ "kind": "role", "role": "recipient", "grounds": "likums" })).unwrap();
    let head = by(8, KEEPER, &[Role::Head, Role::Operator]);
    let draft = Application::draft(ApplicationNumber::new("1"), None, asked, &head).unwrap();
    let submitted = draft.apply(&submit(), &head, at()).unwrap();
    assert_eq!(
        submitted.apply(&decide(Verdict::Approve), &head, at()),
        Err(Refused::OwnApplication)
    );
    let other = by(10, KEEPER, &[Role::Operator]);
    assert!(
        submitted
            .apply(&decide(Verdict::Approve), &provider(), at())
            .is_err()
    );
    let decided = submitted.apply(&decide(Verdict::Approve), &other, at()).unwrap();
    assert!(matches!(&decided.stage, Stage::Decided { decision, .. } if !decision.is_refusal()));
}

fn anybody() -> impl Strategy<Value = Signatory> {
    let institution = prop_oneof![Just(APPLICANT), Just(PROVIDER), Just(KEEPER)];
    let roles = proptest::collection::vec(proptest::sample::select(Role::ALL.to_vec()), 0..4);
    (1..6i64, institution, roles).prop_map(|(person, institution, roles)| by(person, institution, &roles))
}

fn anything() -> impl Strategy<Value = Event> {
    let field = proptest::sample::select(vec!["Code", "Surname", "Address", "Secret"]);
    let fields = proptest::collection::vec(field, 0..5);
    prop_oneof![
        3 => Just(submit()),
        1 => fields.clone().prop_map(|names| {
            let Asked::Data(mut data) = asked() else { unreachable!() };
            data.fields.retain(|one| !names.contains(&one.field.as_str()));
            Event::Amend { asked: Box::new(Asked::Data(data)) }
        }),
        1 => Just({
            let Asked::Data(mut data) = asked() else { unreachable!() };
            data.amends = Some(crate::ids::PermissionNumber::new("100002"));
            Event::Amend { asked: Box::new(Asked::Data(data)) }
        }),
        1 => Just(returned()),
        1 => Just(Event::Review { note: Some("ok".into()) }),
        2 => Just(decide(Verdict::Approve)),
        2 => fields.prop_map(|names| decide(partial(&names))),
        1 => Just(decide(Verdict::Refuse { reason: "nav pamata".into() })),
        1 => Just(Event::Withdraw { reason: "vairs nevajag".into() }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// No sequence of events, by anybody in any order, grants what the provider did not decide; an application that
    /// makes a permission never turns into one that changes another, nor the other way.
    #[test]
    fn nothing_is_granted_without_the_providers_decision(
        amends in proptest::option::of(Just("100001")),
        steps in proptest::collection::vec((anything(), anybody()), 1..40),
    ) {
        let mut application = draft();
        let amends = amends.map(crate::ids::PermissionNumber::new);
        if let Asked::Data(data) = &mut application.asked {
            data.amends.clone_from(&amends);
        }
        let mut decisions = 0;
        for (event, who) in steps {
            let before = application.clone();
            let Ok(next) = application.apply(&event, &who, at()) else { continue };
            prop_assert_eq!(&next.asked.data().unwrap().amends, &amends);
            if next.stage.name() == "decided" {
                decisions += 1;
                let decides = matches!(event, Event::Decide { .. });
                prop_assert!(decides);
                prop_assert_eq!(who.institution.as_str(), PROVIDER);
                prop_assert!(who.roles.contains(&Role::Head) || who.roles.contains(&Role::DataManager));
                let submitter = before.stage.submission().map(|submission| submission.by);
                prop_assert!(submitter.is_some() && submitter != Some(who.person));
                let asked: Vec<&str> = before.asked.fields().collect();
                prop_assert!(next.granted().iter().all(|field| asked.contains(&field.as_str())));
                prop_assert_eq!(&next.asked, &before.asked);
            } else {
                prop_assert!(next.granted().is_empty());
            }
            application = next;
        }
        prop_assert!(decisions <= 1);
        prop_assert_eq!(decisions == 1, application.stage.name() == "decided");
    }

    /// What a page offers is what may be done.
    #[test]
    fn what_is_open_to_somebody_is_not_refused_for_role_or_stage(steps in proptest::collection::vec((anything(), anybody()), 1..20)) {
        let mut application = draft();
        for (event, who) in steps {
            let open = application.open_to(&who).contains(&event.verb());
            let done = application.apply(&event, &who, at());
            prop_assert_eq!(open, !matches!(&done, Err(Refused::Stage { .. } | Refused::Role { .. } | Refused::OwnApplication)));
            application = done.unwrap_or(application);
        }
    }
}
