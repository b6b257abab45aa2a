//! For each operation a call that would succeed if its caller may: path, body, and what it acts upon.

use super::*;

pub struct Things {
    applicant: String,
    decider: String,
    lawyer: String,
    operator: String,
    unique: u32,
    disclosure: String,
}

/// One call to be made.
pub struct Call {
    words: Vec<(&'static str, String)>,
    pub media: &'static str,
    pub body: Vec<u8>,
    query: &'static str,
}

impl Call {
    pub fn fill(&self, path: &str) -> String {
        let path = self
            .words
            .iter()
            .fold(path.to_owned(), |path, (word, value)| path.replace(word, value));
        format!("{path}{}", self.query)
    }

    fn of(id: impl Into<String>, body: Value) -> Self {
        Self {
            words: vec![("{id}", id.into())],
            media: "application/json",
            body: body.to_string().into_bytes(),
            query: "",
        }
    }

    fn read(id: impl Into<String>) -> Self {
        Self {
            body: Vec::new(),
            ..Self::of(id, Value::Null)
        }
    }

    fn with(mut self, word: &'static str, value: String) -> Self {
        self.words.push((word, value));
        self
    }

    fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }
}

fn reason() -> Value {
    json!({ "reason": "Pārbaude" })
}

impl Things {
    pub async fn new(office: &Office) -> Self {
        office.deliver().await;
        let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
        let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
        let (_, lawyer) = office.person(3, PROVIDER, &[Role::LegalReviewer]).await;
        let mut things = Self {
            applicant,
            decider,
            lawyer,
            operator: office.operator_token(),
            unique: 0,
            disclosure: String::new(),
        };
        let system = json!({ "institution": PROVIDER, "code": "sys", "name": "Sistēma" });
        let made = office.post(&things.operator, "/registry/systems", system).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let permission = things.permission(office).await;
        office.look_up(&permission, None).await.unwrap();
        let list = office.get(&things.operator, "/registry/disclosures").await.json();
        let id = list["disclosures"][0]["id"].as_str().unwrap();
        id.clone_into(&mut things.disclosure);
        things
    }

    fn number(&mut self) -> u32 {
        self.unique += 1;
        self.unique
    }

    async fn permission(&mut self, office: &Office) -> String {
        office.granted(&self.applicant, &self.decider, asked()).await
    }

    async fn connection(&mut self, office: &Office) -> String {
        let name = format!("c{}", self.number());
        let create =
            json!({ "client_id": name, "system": "sys", "kind": "consumer", "token_lifetime_s": 600 });
        let made = office.post(&self.operator, "/registry/connections", create).await;
        assert_eq!(made.status, 201, "{}", made.text());
        name
    }

    /// A number of an application in a stage.
    async fn application(&mut self, office: &Office, stage: &str) -> String {
        let path = if stage == "draft" {
            let made = office
                .post(&self.applicant, "/registry/applications", asked())
                .await;
            made.header("location").to_owned()
        } else {
            office.submitted(&self.applicant, asked()).await
        };
        if stage == "returned" {
            let remarks = json!({ "remarks": [{ "text": "Kāpēc?" }] });
            office
                .post(&self.lawyer, &format!("{path}/return"), remarks)
                .await;
        }
        path.rsplit('/').next().unwrap().to_owned()
    }

    async fn somebody(&mut self, office: &Office) -> PersonId {
        let code = 5_000 + self.number();
        office.person(code, RECIPIENT, &[]).await.0
    }

    async fn role(&mut self, office: &Office, state: &str) -> Call {
        let person = self.somebody(office).await;
        let (role, proposed) = if state == "proposed" {
            (Role::Operator, true)
        } else {
            (Role::Auditor, false)
        };
        let create = RoleCreate {
            institution: RegistrationNumber::new(RECIPIENT),
            role,
        };
        let ctx = if proposed {
            // A person operator proposes; the token would give at once.
            let number = 5_000 + self.number();
            let (_, token) = office.person(number, KEEPER, &[Role::Operator]).await;
            office.by(&token).await
        } else {
            office.operator()
        };
        let made = office.app.role_grant(&ctx, person, &create).await.unwrap();
        Call::of(person.0.to_string(), reason()).with("{role}", made.id.to_string())
    }

    async fn notification(&mut self, office: &Office) -> String {
        self.application(office, "returned").await;
        let list = office
            .get(&self.applicant, "/registry/notifications?unread=true")
            .await;
        list.json()["notifications"][0]["id"].to_string()
    }

    /// Ready to be made; what it acts upon is new.
    pub async fn call(&mut self, office: &Office, id: &str) -> Call {
        let noun = id.split('_').next().unwrap_or_default();
        match noun {
            "institution" | "system" | "connection" | "certificate" => self.actor(office, id).await,
            "dataset" | "definition" | "stop" => Self::dataset(office, id).await,
            "permission" | "unused" => self.of_permission(office, id).await,
            "application" | "comment" | "attachment" => self.of_application(office, id).await,
            "person" | "role" => self.of_person(office, id).await,
            "plan" => self.of_plan(office, id).await,
            "proposal" => self.of_proposal(office, id).await,
            "act" | "article" => self.of_law(office, id).await,
            "template" | "rules" | "sandbox" => self.of_template(office, id).await,
            "classifier" => self.of_classifier(office, id).await,
            "registered" => self.registered(office, id).await,
            _ => self.other(office, id).await,
        }
    }

    async fn actor(&mut self, office: &Office, id: &str) -> Call {
        let number = self.number();
        match id {
            "institution_create" => {
                let number = format!("{:011}", 50_000_000_000_u64 + u64::from(number));
                Call::of("", json!({ "registration_number": number, "name": "Jauna" }))
            }
            "institution_update" => Call::of(OTHER, json!({ "name": format!("Iestāde {number}") })),
            "system_create" => {
                let code = format!("s{number}");
                Call::of(
                    "",
                    json!({ "institution": PROVIDER, "code": code, "name": "Sistēma" }),
                )
            }
            "system_update" => Call::of("sys", json!({ "name": format!("Sistēma {number}") })),
            "connection_create" => {
                let client = format!("n{number}");
                let body = json!({ "client_id": client, "system": "sys", "kind": "consumer", "token_lifetime_s": 600 });
                Call::of("", body)
            }
            "connection_update" => Call::of(self.connection(office).await, json!({ "token_lifetime_s": 60 })),
            "connection_withdraw" => Call::of(self.connection(office).await, reason()),
            "certificate_put" => Call {
                media: "application/x-pem-file",
                ..Call::of(self.connection(office).await, json!("no certificate"))
            },
            "certificate_list" | "connection_get" => Call::read(self.connection(office).await),
            "certificate_delete" => {
                Call::read(self.connection(office).await).with("{sha256}", "00".repeat(32))
            }
            "system_facts_put" | "system_facts_get" | "system_facts_list" => {
                let facts = json!({
                    "purposes": "p", "content": "c", "controller": "k", "volume": "v", "processing": "a", "conditions_of_access": "n", "legal_acts": ["Likums"],
                    "criticality": "ordinary",
                });
                let body = json!({ "facts": facts, "reason": format!("Reize {number}") });
                let headers = [("content-type", "application/json")];
                let call = (Method::PUT, "/registry/systems/sys/facts");
                let put = office
                    .send(
                        Some(&self.operator),
                        call,
                        &headers,
                        body.to_string().into_bytes(),
                    )
                    .await;
                assert!(put.status < 300, "{}", put.text());
                if id == "system_facts_put" {
                    Call::of("sys", body)
                } else {
                    Call::read("sys")
                }
            }
            _ if id.starts_with("system") => Call::read("sys"),
            _ => Call::read(OTHER),
        }
    }

    async fn dataset(office: &Office, id: &str) -> Call {
        let operator = office.operator();
        let list = dagr_app::institution::ListQuery {
            after: None,
            limit: 1,
        };
        let stops = office
            .app
            .dataset_stop_list(&operator, "persons", list)
            .await
            .unwrap();
        let lasts = stops.items.first().is_some_and(|stop| stop.ended.is_none());
        if lasts && id != "dataset_resume" {
            office
                .app
                .dataset_resume(&operator, "persons", "x")
                .await
                .unwrap();
        }
        if !lasts && id == "dataset_resume" {
            office.app.dataset_stop(&operator, "persons", "x").await.unwrap();
        }
        match id {
            "dataset_stop" | "dataset_resume" => Call::of("persons", reason()),
            "definition_put" => Call {
                media: "application/yaml",
                body: PERSONS.as_bytes().to_vec(),
                ..Call::read("persons").query("?dry_run=true")
            },
            _ => Call::read("persons"),
        }
    }

    async fn of_permission(&mut self, office: &Office, id: &str) -> Call {
        // No stop of an earlier row lasts.
        Self::dataset(office, "").await;
        let number = self.permission(office).await;
        match id {
            "permission_create" => Call::of(
                "",
                json!({
                    "dataset": "persons", "recipient": RECIPIENT, "environment": "main", "purpose": "p",
                    "legal_basis": "l", "fields": "all", "ways": ["key"],
                }),
            ),
            "permission_update" => Call::of(number, json!({ "purpose": "q" })),
            "permission_suspend" | "permission_revoke" => Call::of(number, reason()),
            "permission_resume" => {
                let path = format!("/registry/permissions/{number}/suspend");
                office.post(&self.decider, &path, reason()).await;
                Call::of(number, reason())
            }
            "permission_narrow" => Call::of(number, json!({ "fields": ["Town"], "reason": "Nevajag" })),
            "permission_amend" => Call::of(number, json!({})),
            _ => Call::read(number),
        }
    }

    async fn of_application(&mut self, office: &Office, id: &str) -> Call {
        let stage = match id {
            "application_update" | "application_submit" => "draft",
            "application_resubmit" => "returned",
            _ => "submitted",
        };
        let number = self.application(office, stage).await;
        match id {
            "application_create" => Call::of("", asked()),
            "application_update" => Call::of(number, json!({ "quota": 5 })),
            "application_submit" | "application_resubmit" | "application_review" => {
                Call::of(number, json!({}))
            }
            "application_return" => Call::of(number, json!({ "remarks": [{ "text": "Kāpēc?" }] })),
            "application_decide" => Call::of(number, json!({ "result": "approve" })),
            "application_withdraw" => Call::of(number, reason()),
            "comment_create" => Call::of(number, json!({ "text": "Labdien!" })),
            "attachment_create" => Call {
                media: "text/plain",
                ..Call::of(number, json!("teksts")).query("?name=a.txt")
            },
            "attachment_get" => {
                let path = format!("/registry/applications/{number}/attachments?name=a.txt");
                let headers = [("content-type", "text/plain")];
                let call = (Method::POST, path.as_str());
                let made = office
                    .send(Some(&self.applicant), call, &headers, b"a".to_vec())
                    .await;
                let attachment = made.json()["id"].to_string();
                Call::read(number).with("{attachment}", attachment)
            }
            _ => Call::read(number),
        }
    }

    /// Of the provider, with the recipient invited; every step is done where it shall be closed.
    async fn of_plan(&mut self, office: &Office, id: &str) -> Call {
        let subject = json!({ "kind": "dataset", "dataset": "persons" });
        let create = json!({
            "scenario": "new_dataset", "subject": subject, "title": "Plāns", "recipients": [RECIPIENT],
        });
        if id == "plan_create" {
            return Call::of("", create);
        }
        let made = office.post(&self.decider, "/registry/plans", create).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let path = made.header("location").to_owned();
        let number = path.rsplit('/').next().unwrap();
        let steps = made.json()["steps"].as_array().unwrap().len();
        let done = async |step: usize| {
            let own = if step <= 6 { &self.decider } else { &self.applicant };
            let path = format!("{path}/steps/{step}/done");
            let answer = office.post(own, &path, json!({})).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        };
        match id {
            "plan_close" => {
                for step in 1..=steps {
                    done(step).await;
                }
            }
            "plan_step_reopen" => done(1).await,
            _ => {}
        }
        let call = match id {
            "plan_update" => Call::of(number, json!({ "title": "Cits" })),
            "plan_invite" => Call::of(number, json!({ "institutions": [OTHER] })),
            "plan_close" | "plan_step_done" => Call::of(number, json!({})),
            "plan_step_assign" => Call::of(number, json!({ "due": "2030-01-01" })),
            "plan_step_not_applicable" | "plan_step_reopen" => Call::of(number, reason()),
            "plan_step_note" => Call::of(number, json!({ "text": "Labi" })),
            "plan_comment_create" => Call::of(number, json!({ "text": "Kad?" })),
            _ => Call::read(number),
        };
        call.with("{step}", "1".to_owned())
    }

    /// A connection, proposed by an operator of another day.
    async fn of_proposal(&mut self, office: &Office, id: &str) -> Call {
        let number = self.number();
        let create = json!({
            "connection": { "client_id": format!("q{number}"), "system": "sys", "kind": "consumer", "token_lifetime_s": 600 },
        });
        if id == "proposal_create" {
            return Call::of("", create);
        }
        let (_, operator) = office
            .person(5_000 + self.number(), KEEPER, &[Role::Operator])
            .await;
        let made = office.post(&operator, "/registry/proposals", create).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let proposal = made.json()["id"].to_string();
        match id {
            "proposal_reject" => Call::of(proposal, reason()),
            "proposal_confirm" => Call::of(proposal, json!({})),
            _ => Call::read(proposal),
        }
    }

    /// A resource and a service that are there.
    async fn registered(&mut self, office: &Office, id: &str) -> Call {
        let mut described = json!({
            "system": "sys", "title_lv": "Nosaukums", "title_en": "Title", "description": "a",
        });
        let (noun, own) = if id.starts_with("registered_service") {
            let own = json!({
                "kind": "api", "address": "https://api.example.lv/", "access": "p", "classification": "open",
                "state": "in_use",
            });
            ("services", own)
        } else {
            ("resources", json!({ "content": "c", "legal_acts": ["Likums"] }))
        };
        for (name, value) in own.as_object().unwrap() {
            described[name] = value.clone();
        }
        let body = json!({ "described": described, "reason": format!("Reize {}", self.number()) });
        let headers = [("content-type", "application/json")];
        let path = format!("/registry/{noun}/one");
        let call = (Method::PUT, &*path);
        let bytes = body.to_string().into_bytes();
        let put = office.send(Some(&self.operator), call, &headers, bytes).await;
        assert!(put.status < 300, "{}", put.text());
        if id.ends_with("_put") {
            Call::of("one", body)
        } else {
            Call::read("one")
        }
    }

    /// An act that is there, with one article.
    async fn of_law(&mut self, office: &Office, id: &str) -> Call {
        let act = json!({ "title": "Pašvaldību likums" });
        let article = json!({ "text": "Uzdevumi", "reason": "Sākums" });
        for (path, body) in [
            ("/registry/acts/pl", &act),
            ("/registry/acts/pl/articles/4", &article),
        ] {
            let headers = [("content-type", "application/json")];
            let call = (Method::PUT, path);
            let put = office
                .send(
                    Some(&self.operator),
                    call,
                    &headers,
                    body.to_string().into_bytes(),
                )
                .await;
            assert!(put.status < 300, "{}", put.text());
        }
        match id {
            "act_put" => Call::of("pl", act),
            "article_put" => {
                let text = format!("Uzdevumi {}", self.number());
                Call::of("pl", json!({ "text": text, "reason": "Cita redakcija" }))
                    .with("{article}", "4".to_owned())
            }
            _ => Call::read("pl"),
        }
    }

    async fn of_template(&mut self, office: &Office, id: &str) -> Call {
        let offered = super::super::template::offered();
        match id {
            "sandbox_fill" => return Call::of("persons", json!({ "records": 5 })),
            "template_list" | "rules_get" => return Call::read("persons"),
            "template_create" => return Call::of("persons", offered),
            "rules_put" => {
                let rules = json!({ "rules": { "template_only": false }, "reason": "Kā bija" });
                return Call::of("persons", rules);
            }
            _ => {}
        }
        let path = "/registry/datasets/persons/templates";
        let made = office.post(&self.decider, path, offered.clone()).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let number = made.json()["number"].to_string();
        match id {
            "template_retire" => Call::of(number, reason()),
            "template_update" => Call::of(number, offered),
            _ => Call::read(number),
        }
    }

    /// A classifier that the provider keeps, with a version.
    async fn of_classifier(&mut self, office: &Office, id: &str) -> Call {
        let number = self.number();
        let put = json!({ "title": format!("Veidi {number}"), "keeper": PROVIDER });
        let version = |code: u32| json!({ "values": [{ "code": code.to_string(), "name": "Veids" }], "reason": "Sākums" });
        let path = "/registry/classifiers/KINDS";
        let headers = [("content-type", "application/json")];
        for (method, path, body) in [
            (Method::PUT, path.to_owned(), &put),
            (Method::POST, format!("{path}/versions"), &version(number)),
        ] {
            let call = (method, path.as_str());
            let body = body.to_string().into_bytes();
            let made = office.send(Some(&self.operator), call, &headers, body).await;
            assert!(made.status < 300, "{}", made.text());
        }
        let call = match id {
            "classifier_put" => Call::of("KINDS", put),
            "classifier_version_create" => Call::of("KINDS", version(self.number())),
            _ => Call::read("KINDS"),
        };
        call.with("{number}", "current".to_owned())
    }

    async fn of_person(&mut self, office: &Office, id: &str) -> Call {
        match id {
            "person_create" => {
                let code = format!("38{:09}", self.number());
                Call::of("", json!({ "code": code, "name": "Persona" }))
            }
            "role_create" => {
                let person = self.somebody(office).await;
                Call::of(
                    person.0.to_string(),
                    json!({ "institution": RECIPIENT, "role": "auditor" }),
                )
            }
            "role_confirm" => self.role(office, "proposed").await,
            "role_end" => self.role(office, "active").await,
            // The applicant's data manager.
            _ => Call::read("1"),
        }
    }

    async fn other(&mut self, office: &Office, id: &str) -> Call {
        match id {
            "session_update" => Call::of("", json!({ "institution": null })),
            "mail_put" => Call::of("", json!({ "address": "zane@riga.lv", "language": "lv" })),
            "notification_read" => Call::read(self.notification(office).await),
            "disclosure_search" => Call::of("", json!({ "person": ONE })),
            "disclosure_get" | "subject_list" => Call::read(self.disclosure.clone()),
            // No absolute path: refused for whoever may begin one.
            "backup_create" => Call::of("", json!({ "directory": "relative" })),
            "backup_get" => Call::read("1"),
            _ => Call::read(""),
        }
    }
}
