//! A change is delivered: who is told, and who is not.

use std::fs;

use serde_json::Value;

use super::{Done, Failure, Story};
use crate::demo::{
    call::{Call, Who, quoted},
    cast::{self, BANK, ELSEWHERE, MUNICIPALITY, RESEARCHER, Recipient},
    nation::Nation,
    tell::thousands,
};

/// Pages of a first copy.
const PAGE: usize = 10_000;

/// A recipient's copy of a data set.
#[derive(Clone, Copy)]
struct Copy {
    recipient: Recipient,
    permission: &'static str,
    dataset: &'static str,
}

const COPIES: [Copy; 3] = [
    Copy {
        recipient: MUNICIPALITY,
        permission: cast::RESIDENTS,
        dataset: "fpr_person",
    },
    Copy {
        recipient: BANK,
        permission: cast::BANK_ENTERPRISES,
        dataset: "ur_enterprise",
    },
    Copy {
        recipient: RESEARCHER,
        permission: cast::RESEARCH_ENTERPRISES,
        dataset: "ur_enterprise",
    },
];

impl Story {
    pub(super) async fn changes(&mut self) -> Done {
        let back = self.state.tellings % 2 == 1;
        self.teller.chapter(
            6,
            "Saņēmējiem ir savas kopijas; katrs seko izmaiņām pa savu kursoru.",
            "Recipients hold copies of their own; each follows the changes by its cursor.",
        );
        for copy in COPIES {
            self.first_copy(copy).await?;
        }
        self.tell_what_happens(back);
        let persons = self.cast.moves(&self.nation, back);
        self.deliver("FPR", "fpr_person", persons).await?;
        let officers = self.cast.officers_changed(&self.nation, back);
        self.deliver("UR", "ur_enterprise", officers).await?;
        for copy in COPIES {
            self.told(copy).await?;
        }
        Ok(())
    }

    fn tell_what_happens(&self, back: bool) {
        let (mover, leaver) = (&self.cast.mover, &self.cast.leaver);
        let elsewhere = Nation::municipalities()
            .iter()
            .find(|municipality| municipality.code == ELSEWHERE)
            .map_or("", |municipality| municipality.name);
        let (latvian, english) = if back {
            (
                format!(
                    "{} {} un {} {} atgriežas iepriekšējās adresēs Rīgā; uzņēmumā atgriežas amatpersona.",
                    mover.name, mover.surname, leaver.name, leaver.surname
                ),
                "Both people come back to their addresses in Rīga; the officer comes back to the enterprise.",
            )
        } else {
            (
                format!(
                    "{} {} pārceļas Rīgā, {} {} no Rīgas uz pilsētu {elsewhere}; uzņēmumu atstāj amatpersona.",
                    mover.name, mover.surname, leaver.name, leaver.surname
                ),
                "One person moves within Rīga, one away from it; an officer leaves the enterprise.",
            )
        };
        self.teller.say(&latvian, english);
    }

    /// Enumerates what the recipient may see, once; after that its cursor is enough.
    async fn first_copy(&mut self, copy: Copy) -> Done {
        let variable = copy.recipient.variable;
        if self.state.cursors.contains_key(variable) {
            return Ok(());
        }
        let begun = std::time::Instant::now();
        let (mut records, mut after) = (0, String::new());
        loop {
            let path = format!(
                "/data/{}/changes?limit={PAGE}&include=record{after}",
                copy.dataset
            );
            let call =
                Call::get(Who::Recipient(copy.recipient), path).under(self.permission(copy.permission));
            let (status, page) = self.make(&call).await?;
            let next = page["next"].as_str().filter(|_| status == 200).ok_or_else(|| {
                Failure::here(format!(
                    "{}: changes answered {status} {page}",
                    copy.recipient.name
                ))
            })?;
            records += page["changes"].as_array().map_or(0, Vec::len);
            after = format!("&after={next}");
            self.state.cursors.insert(variable.to_owned(), next.to_owned());
            if page["end"] == true {
                break;
            }
        }
        self.state.save()?;
        self.teller.bullet(&format!(
            "{}: {} {} ({:.1} s)",
            copy.recipient.name,
            copy.dataset,
            thousands(records as u64),
            begun.elapsed().as_secs_f64()
        ));
        Ok(())
    }

    async fn deliver(&self, variable: &'static str, dataset: &str, lines: String) -> Done {
        let id = format!("izmainas-{}", self.state.tellings + 1);
        let file = self.data.join("demo").join(format!("{dataset}-{id}.ndjson"));
        fs::write(&file, &lines).map_err(|error| Failure::file(&file, &error))?;
        let path = format!("/intake/{dataset}/packages/{id}");
        let call = Call::package(variable, path, lines, file);
        self.teller.command(&call.curl());
        let (status, receipt) = self.make(&call).await?;
        if status >= 400 {
            self.teller.answer(status, &receipt);
            return Err(Failure::here("the change was not taken".to_owned()));
        }
        let members = [
            "package_id",
            "received",
            "accepted",
            "first_sequence",
            "last_sequence",
        ];
        let short: serde_json::Map<String, Value> = members
            .into_iter()
            .map(|member| (member.to_owned(), receipt[member].clone()))
            .collect();
        self.teller.answer(status, &short.into());
        Ok(())
    }

    /// What the recipient's cursor brings now. The line reads the cursor from a file, which stays as it was.
    async fn told(&mut self, copy: Copy) -> Done {
        let variable = copy.recipient.variable;
        let cursor = self.state.cursors.get(variable).cloned().unwrap_or_default();
        let file = self.data.join("demo").join(format!("{variable}.cursor"));
        fs::write(&file, &cursor).map_err(|error| Failure::file(&file, &error))?;
        let path = |cursor: &str| format!("/data/{}/changes?after={cursor}", copy.dataset);
        let mut call =
            Call::get(Who::Recipient(copy.recipient), path(&cursor)).under(self.permission(copy.permission));
        let (status, page) = self.make(&call).await?;
        if status == 410 {
            self.state.cursors.remove(variable);
            return Ok(());
        }
        let changes = page["changes"].as_array().cloned().unwrap_or_default();
        self.teller.bullet(&sentence(copy.recipient, &changes));
        call.path = path(&format!("$(cat {})", quoted(&file.display().to_string())));
        self.teller.command(&call.curl());
        for change in &changes {
            self.teller.answer(status, change);
        }
        if let Some(next) = page["next"].as_str() {
            self.state.cursors.insert(variable.to_owned(), next.to_owned());
        }
        Ok(())
    }
}

fn sentence(recipient: Recipient, changes: &[Value]) -> String {
    let count = |operation: &str| {
        changes
            .iter()
            .filter(|change| change["operation"] == operation)
            .count()
    };
    let name = recipient.name;
    match (count("upsert"), count("delete")) {
        (0, 0) => format!(
            "{name} neuzzina neko: tās laukos nekas nav mainījies. Told nothing: none of its fields changed."
        ),
        (upserts, deletes) => format!(
            "{name} uzzina: jauni vai mainīti {upserts}, vairs nav {deletes}. Told: {upserts} new or changed, {deletes} gone."
        ),
    }
}
