use proptest::prelude::*;

use super::*;

const PROVIDER: &str = "40000000001";
const RECIPIENT: &str = "40000000002";
const OTHER: &str = "40000000003";

fn by(person: i64, institution: &str, roles: &[Role]) -> Signatory {
    Signatory {
        person: PersonId(person),
        institution: RegistrationNumber::new(institution),
        roles: roles.iter().copied().collect(),
    }
}

fn provider() -> Signatory {
    by(1, PROVIDER, &[Role::DataManager])
}

fn recipient() -> Signatory {
    by(2, RECIPIENT, &[Role::Head])
}

fn at() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn create(scenario: Scenario) -> PlanCreate {
    serde_json::from_value(serde_json::json!({
        "scenario": scenario, "subject": { "kind": "dataset", "dataset": "persons" }, "title": "Personas",
        "recipients": [RECIPIENT], "period": { "from": "2026-04-01", "to": "2026-06-30" },
    }))
    .unwrap()
}

fn plan() -> Plan {
    Plan::begin(create(Scenario::MoveToDagr), &provider()).unwrap()
}

fn step(step: u32, change: StepMove) -> Event {
    Event::Step { step, change }
}

fn done() -> StepMove {
    StepMove::Done { note: None }
}

fn not_applicable() -> StepMove {
    StepMove::NotApplicable {
        reason: "vecā saskarne paliek".into(),
    }
}

fn reopen() -> StepMove {
    StepMove::Reopen {
        reason: "kļūda".into(),
    }
}

#[test]
fn each_scenario_has_the_typical_steps_of_both_sides() {
    for scenario in Scenario::ALL {
        let plan = Plan::begin(create(scenario), &provider()).unwrap();
        let of = |side| -> Vec<StepKind> {
            let steps = plan.steps.iter().filter(|step| step.side == side);
            steps.map(|step| step.kind).collect()
        };
        assert_eq!(of(PlanSide::Provider), scenario.steps(PlanSide::Provider));
        assert_eq!(of(PlanSide::Recipient), scenario.steps(PlanSide::Recipient));
        let historic = of(PlanSide::Provider).contains(&StepKind::CloseHistoricInterface);
        assert_eq!(
            historic,
            scenario != Scenario::NewDataset,
            "a new set has no history"
        );
        let numbers: Vec<u32> = plan.steps.iter().map(|step| step.number).collect();
        assert!(numbers.iter().copied().eq(1..=plan.steps.len() as u32));
    }
}

#[test]
fn a_plan_closes_when_no_step_is_open() {
    let mut plan = plan();
    let close = Event::Close { note: None };
    assert_eq!(
        plan.apply(&close, &provider(), at()),
        Err(Refused::StepsOpen((1..=11).collect()))
    );
    for number in 1..=11 {
        let (who, change) = match number {
            7 => (provider(), not_applicable()),
            1..=6 => (provider(), done()),
            _ => (recipient(), done()),
        };
        plan = plan.apply(&step(number, change), &who, at()).unwrap();
    }
    assert_eq!(plan.next_due(), None);
    let closed = plan.apply(&close, &provider(), at()).unwrap();
    assert_eq!(closed.stage.name(), "closed");
    for event in [close, step(1, reopen())] {
        assert_eq!(closed.apply(&event, &provider(), at()), Err(Refused::Closed));
    }
}

#[test]
fn a_step_is_late_the_day_after_it_was_due() {
    let plan = plan();
    // Building the retrieval ends with the period.
    let build = plan.steps[9].clone();
    assert_eq!(build.kind, StepKind::BuildRetrieval);
    assert_eq!(plan.due_of(&build), Some(date("2026-06-30")));
    assert_eq!(plan.next_due(), Some(date("2026-06-30")));
    assert!(!plan.is_late(date("2026-06-30")) && plan.is_late(date("2026-07-01")));
    let assign = StepMove::Assign {
        person: None,
        due: Some(Some(date("2026-03-10"))),
    };
    let plan = plan.apply(&step(1, assign), &provider(), at()).unwrap();
    assert!(plan.is_step_late(&plan.steps[0], date("2026-03-11")));
    let plan = plan.apply(&step(1, done()), &provider(), at()).unwrap();
    assert!(!plan.is_step_late(&plan.steps[0], date("2026-03-11")));
    assert_eq!(plan.next_due(), Some(date("2026-06-30")));
}

#[test]
fn each_side_moves_its_own_steps_only() {
    let plan = plan();
    let role = |result: Result<Plan, Refused>| matches!(result, Err(Refused::Role { .. }));
    assert!(role(plan.apply(&step(8, done()), &provider(), at())));
    assert!(role(plan.apply(&step(1, done()), &recipient(), at())));
    let technician = by(3, PROVIDER, &[Role::TechnicalContact]);
    assert!(plan.apply(&step(4, done()), &technician, at()).is_ok());
    assert!(role(plan.apply(&step(4, not_applicable()), &technician, at())));
    let operator = by(4, PROVIDER, &[Role::Operator]);
    assert!(role(plan.apply(&step(4, done()), &operator, at())));
    assert!(role(
        Plan::begin(create(Scenario::NewDataset), &technician).map(|_| plan.clone())
    ));
    let late = Event::Invite {
        institutions: vec![RegistrationNumber::new(OTHER)],
    };
    assert!(role(plan.apply(&late, &recipient(), at())));
    let invited = plan.apply(&late, &provider(), at()).unwrap();
    assert_eq!((invited.recipients.len(), invited.steps.len()), (2, 15));
    assert_eq!(invited.steps[..11], plan.steps[..]);
}

#[test]
fn what_is_not_possible_is_an_error_that_says_why() {
    let plan = plan();
    let settled = plan.apply(&step(1, done()), &provider(), at()).unwrap();
    let again = settled.apply(&step(1, not_applicable()), &provider(), at());
    assert_eq!(
        again.unwrap_err().to_string(),
        "the step is done: step_not_applicable is not possible now; reopen it first"
    );
    assert_eq!(
        plan.apply(&step(1, reopen()), &provider(), at()),
        Err(Refused::StepOpen)
    );
    for number in [0, 12, u32::MAX] {
        assert_eq!(
            plan.apply(&step(number, done()), &provider(), at()),
            Err(Refused::NoStep(number))
        );
    }
    let blank = StepMove::NotApplicable { reason: "  ".into() };
    assert!(matches!(
        plan.apply(&step(1, blank), &provider(), at()),
        Err(Refused::Invalid(_))
    ));
}

#[test]
fn every_fault_of_a_new_plan_is_named_at_once() {
    let bad: PlanCreate = serde_json::from_value(serde_json::json!({
        "scenario": "new_dataset", "subject": { "kind": "service", "service": "" }, "title": "",
        "recipients": [PROVIDER, RECIPIENT, RECIPIENT], "period": { "from": "2026-04-02", "to": "2026-04-01" },
    }))
    .unwrap();
    let Err(Refused::Invalid(found)) = Plan::begin(bad, &provider()) else {
        panic!("accepted");
    };
    let places: Vec<&str> = found.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "subject.service",
            "subject.kind",
            "title",
            "period.to",
            "recipients[0]",
            "recipients[2]"
        ]
    );
}

#[test]
fn what_the_system_found_is_kept_as_first_found() {
    let mut plan = plan();
    let later = "2026-05-01T00:00:00Z".parse().unwrap();
    for when in [at(), later] {
        plan.observe(&[(
            4,
            Evidence::found(EvidenceKind::FirstPackageReceived, when, "persons"),
        )]);
    }
    assert_eq!(plan.steps[3].evidence.len(), 1);
    assert_eq!(plan.steps[3].evidence[0].at, at());
    assert!(plan.steps[3].is_open(), "a person says that a step is done");
}

#[test]
fn a_stored_plan_and_event_read_back() {
    let assign = StepMove::Assign {
        person: Some(None),
        due: Some(Some(date("2026-03-10"))),
    };
    let events = [
        step(1, assign),
        step(1, done()),
        Event::Update {
            change: PlanChange {
                period: Some(None),
                ..PlanChange::default()
            },
        },
    ];
    for event in events {
        let kept = serde_json::to_value(&event).unwrap();
        assert_eq!(
            serde_json::from_value::<Event>(kept.clone()).unwrap(),
            event,
            "{kept}"
        );
        let moved = plan().apply(&event, &provider(), at()).unwrap();
        let kept = serde_json::to_value(&moved).unwrap();
        assert_eq!(serde_json::from_value::<Plan>(kept).unwrap(), moved);
    }
}

fn anybody() -> impl Strategy<Value = Signatory> {
    let institution = proptest::sample::select(vec![PROVIDER, RECIPIENT, OTHER]);
    let roles = proptest::collection::vec(proptest::sample::select(Role::ALL.to_vec()), 0..4);
    (1..5i64, institution, roles).prop_map(|(person, institution, roles)| by(person, institution, &roles))
}

fn anything() -> impl Strategy<Value = Event> {
    let change = prop_oneof![
        4 => Just(done()),
        3 => Just(not_applicable()),
        1 => Just(reopen()),
        1 => Just(StepMove::Note { text: "sarunāts".into() }),
        1 => (1u8..28).prop_map(|day| StepMove::Assign {
            person: None, due: Some(Some(Date::constant(2026, 3, day as i8))),
        }),
    ];
    prop_oneof![
        12 => (0..17u32, change).prop_map(|(number, change)| step(number, change)),
        1 => Just(Event::Invite { institutions: vec![RegistrationNumber::new(OTHER)] }),
        1 => Just(Event::Update { change: PlanChange { title: Some("Cits".into()), ..PlanChange::default() } }),
        2 => Just(Event::Close { note: None }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// In whatever order, by whomever: closed plans have no open step, nobody moves another's step, nothing is lost.
    #[test]
    fn no_sequence_of_events_closes_a_plan_over_an_open_step(
        events in proptest::collection::vec((anything(), anybody()), 1..120)
    ) {
        let mut plan = plan();
        for (event, who) in events {
            let Ok(next) = plan.apply(&event, &who, at()) else { continue };
            prop_assert_eq!(plan.stage.name(), "open", "a closed plan does not change");
            prop_assert!(next.steps.len() >= plan.steps.len());
            for (before, after) in plan.steps.iter().zip(&next.steps) {
                prop_assert_eq!((before.number, before.kind, &before.institution),
                    (after.number, after.kind, &after.institution));
                prop_assert!(after.evidence.starts_with(&before.evidence));
                if before != after {
                    prop_assert_eq!(&before.institution, &who.institution);
                    prop_assert!(who.roles.iter().any(|role| MOVERS.contains(role)));
                }
            }
            if next.stage.name() == "closed" {
                prop_assert!(next.open_steps().is_empty());
                prop_assert_eq!(next.next_due(), None);
            }
            plan = next;
        }
    }

    /// What a page offers is not refused for role or state, and what is not offered is.
    #[test]
    fn what_is_open_to_somebody_is_possible(
        events in proptest::collection::vec((anything(), anybody()), 1..60)
    ) {
        let mut plan = plan();
        for (event, who) in events {
            let open = match &event {
                Event::Step { step, .. } => plan.step(*step).map_or_else(|_| Vec::new(), |step| plan.step_open_to(step, &who)),
                _ => plan.open_to(&who),
            };
            let applied = plan.apply(&event, &who, at());
            let refused = !matches!(&applied, Ok(_) | Err(Refused::Invalid(_)));
            prop_assert_eq!(open.contains(&event.verb()), !refused, "{:?} {:?}", event, applied);
            plan = applied.unwrap_or(plan);
        }
    }

    /// A plan is late exactly when one of its steps is.
    #[test]
    fn a_plan_is_late_when_a_step_is(
        events in proptest::collection::vec((anything(), anybody()), 0..60), day in 1i8..28
    ) {
        let mut plan = plan();
        for (event, who) in events {
            plan = plan.apply(&event, &who, at()).unwrap_or(plan);
        }
        let today = Date::constant(2026, 3, day);
        let step_late = plan.steps.iter().any(|step| plan.is_step_late(step, today));
        prop_assert_eq!(plan.is_late(today), step_late);
    }
}
