use std::collections::BTreeSet;

use dagr_model::{
    application::Signatory,
    ids::{PersonId, PlanNumber},
    plan::{Event, Plan, StepMove},
    role::Role,
};
use serde_json::json;

use super::*;

fn provider() -> Signatory {
    Signatory {
        person: PersonId(1),
        institution: RegistrationNumber::new(PROVIDER),
        roles: BTreeSet::from([Role::DataManager]),
    }
}

fn plan(dataset: &str, period: Option<&str>, recipients: &[&str]) -> Plan {
    let period = period.map(|to| json!({ "from": "2026-01-01", "to": to }));
    let create = json!({
        "scenario": "move_to_dagr", "subject": { "kind": "dataset", "dataset": dataset }, "title": "Personas",
        "recipients": recipients, "period": period,
    });
    Plan::begin(serde_json::from_value(create).unwrap(), &provider()).unwrap()
}

fn kept(event: Option<Event>) -> PlanEventCreate {
    PlanEventCreate {
        person: PersonId(1),
        institution: RegistrationNumber::new(PROVIDER),
        role: Role::DataManager,
        event,
    }
}

async fn insert(registry: &Registry, plan: &Plan) -> Versioned<Plan> {
    registry
        .plan_insert(&by(), plan, &kept(None), |_| Vec::new())
        .await
        .unwrap()
}

async fn prepared() -> Registry {
    let registry = furnished().await;
    let create = PersonCreate {
        code: "390000-00001".into(),
        name: "Persona".into(),
    };
    registry.person_insert(&by(), &create).await.unwrap();
    registry
}

async fn moved(registry: &Registry, before: &Versioned<Plan>, event: Event) -> Result<Versioned<Plan>> {
    let next = before.value.apply(&event, &provider(), at(1)).unwrap();
    registry
        .plan_move(&by(), before.version, &next, &kept(Some(event)), &[])
        .await
}

fn done(step: u32) -> Event {
    Event::Step {
        step,
        change: StepMove::Done { note: None },
    }
}

#[tokio::test]
async fn every_version_of_a_plan_is_kept() {
    let registry = prepared().await;
    let made = insert(&registry, &plan("persons", None, &[RECIPIENT])).await;
    assert_eq!((made.value.number.as_str(), made.version), ("300001", 1));
    let next = moved(&registry, &made, done(1)).await.unwrap();
    assert_eq!(next.version, 2);
    assert_eq!(
        moved(&registry, &made, done(2)).await,
        Err(RegistryError::Precondition)
    );
    let found = registry.plan_get(&made.value.number).await.unwrap();
    assert_eq!(found.as_ref(), Some(&next));
    let events = registry
        .plan_events(&made.value.number, None, 10)
        .await
        .unwrap()
        .items;
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["create", "step_done"]);
    assert_eq!(events[0].plan["steps"][0]["state"]["name"], "open");
    assert_eq!(events[1].plan["steps"][0]["state"]["name"], "done");
    assert_eq!(events[1].event["change"]["move"], "done");
    assert_eq!(registry.plan_get(&PlanNumber::new("1")).await.unwrap(), None);
}

#[tokio::test]
async fn the_board_has_late_plans_first_and_closed_ones_last() {
    let registry = prepared().await;
    let undated = insert(&registry, &plan("persons", None, &[RECIPIENT])).await;
    let later = insert(&registry, &plan("animals", Some("2026-09-01"), &[RECIPIENT])).await;
    let sooner = insert(&registry, &plan("persons", Some("2026-02-01"), &[RECIPIENT])).await;
    // Nobody is invited: all steps are the provider's.
    let mut closed = insert(&registry, &plan("persons", Some("2026-01-02"), &[])).await;
    for step in 1..=7 {
        closed = moved(&registry, &closed, done(step)).await.unwrap();
    }
    let close = Event::Close { note: None };
    let closed = moved(&registry, &closed, close).await.unwrap();

    let numbers = async |filter: &PlanFilter| -> Vec<String> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = registry.plan_list(filter, after, 1).await.unwrap();
            found.extend(page.items.iter().map(|plan| plan.value.number.to_string()));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    };
    let of = |plans: &[&Versioned<Plan>]| -> Vec<String> {
        plans.iter().map(|plan| plan.value.number.to_string()).collect()
    };
    let all = PlanFilter::default();
    assert_eq!(numbers(&all).await, of(&[&sooner, &later, &undated, &closed]));
    let invited = PlanFilter {
        recipient: Some(RegistrationNumber::new(RECIPIENT)),
        ..PlanFilter::default()
    };
    assert_eq!(numbers(&invited).await, of(&[&sooner, &later, &undated]));
    for (party, count) in [(PROVIDER, 4), (RECIPIENT, 3), ("90000000077", 0)] {
        let filter = PlanFilter {
            party: Some(RegistrationNumber::new(party)),
            ..PlanFilter::default()
        };
        assert_eq!(numbers(&filter).await.len(), count, "{party}");
    }
    let late = PlanFilter {
        late_on: Some("2026-02-02".parse().unwrap()),
        ..PlanFilter::default()
    };
    assert_eq!(numbers(&late).await, of(&[&sooner]));
    let animals = PlanFilter {
        dataset: Some(DatasetName::new("animals")),
        stage: Some("open".into()),
        ..PlanFilter::default()
    };
    assert_eq!(numbers(&animals).await, of(&[&later]));
}

#[tokio::test]
async fn who_is_invited_is_registered_and_a_thread_is_kept() {
    let registry = prepared().await;
    let unknown = plan("persons", None, &[RECIPIENT, "90000000099"]);
    let refused = registry
        .plan_insert(&by(), &unknown, &kept(None), |_| Vec::new())
        .await;
    let Err(RegistryError::Invalid(faults)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(faults[0].place, "recipients[1]");
    let made = insert(&registry, &plan("persons", None, &[])).await;
    let create = CommentCreate {
        person: PersonId(1),
        person_name: "Persona".into(),
        institution: RegistrationNumber::new(PROVIDER),
        text: "Vai pietiek ar mēnesi?".into(),
    };
    let number = &made.value.number;
    let said = registry
        .plan_comment_insert(&by(), number, &create, &[])
        .await
        .unwrap();
    let thread = registry.plan_comment_list(number, None, 10).await.unwrap();
    assert_eq!(thread.items, [said]);
}

#[tokio::test]
async fn the_registry_shows_what_was_published_and_granted_first() {
    let registry = prepared().await;
    let made = insert(&registry, &plan("persons", None, &[RECIPIENT])).await;
    let persons = DatasetName::new("persons");
    let grants = async || {
        registry
            .plan_first_grants(&made.value.number, &persons)
            .await
            .unwrap()
    };
    assert!(grants().await.is_empty());
    for second in [5, 6] {
        let by = Actor {
            at: at(second),
            ..by()
        };
        registry
            .permission_insert(&by, &permission("persons"), leaves())
            .await
            .unwrap();
    }
    let found = grants().await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].recipient.as_str(), found[0].at), (RECIPIENT, at(5)));
    let published = async || registry.dataset_first_published(&persons).await.unwrap();
    assert_eq!(published().await, None, "a draft in the sandbox is not published");
    for (second, text) in [(7, "name: persons"), (8, "name: persons\nguard: 5 %")] {
        let by = Actor {
            at: at(second),
            ..by()
        };
        let put = definition("persons", text, &["Code"]);
        registry.put_sandbox_definition(&by, &put, None).await.unwrap();
        registry.publish(&by, &persons, None).await.unwrap();
    }
    assert_eq!(published().await, Some(at(7)));
    let nothing = registry.dataset_first_published(&DatasetName::new("none")).await;
    assert_eq!(nothing.unwrap(), None);
}
