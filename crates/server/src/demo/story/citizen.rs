//! What a person reads of who was told what about them.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{Done, Failure, Story};
use crate::demo::{call::Call, cast, nation::REGISTERS};

/// Entries read for the list; a page of the interface.
const READ: usize = 1_000;
/// Sentences shown.
const SHOWN: usize = 12;

impl Story {
    pub(super) async fn citizen(&self) -> Done {
        let citizen = &self.cast.citizen;
        self.teller.chapter(
            7,
            &format!(
                "{} {} skatās, kas par viņu ir izpausts.",
                citizen.name, citizen.surname
            ),
            "The citizen looks at what was disclosed, newest last.",
        );
        let path = format!("/registry/disclosures/search?limit={READ}");
        let call = Call::post(self.operator(), &path, json!({ "person": citizen.code }));
        self.teller.command(&call.curl());
        let (status, answer) = self.make(&call).await?;
        let Some(mut entries) = answer["disclosures"].as_array().cloned() else {
            return Err(Failure::here(format!(
                "the citizen's list answered {status} {answer}"
            )));
        };
        entries.sort_by_key(|entry| entry["at"].as_str().unwrap_or_default().to_owned());
        let left_out = entries.len().saturating_sub(SHOWN);
        if left_out > 0 {
            self.teller.bullet(&format!("… {left_out} agrāk, earlier"));
        }
        for entry in entries.iter().skip(left_out) {
            self.teller.bullet(&sentence(entry, &cast::names()));
        }
        if entries.is_empty() {
            return Err(Failure::here(
                "the citizen's list is empty although look-ups were answered".to_owned(),
            ));
        }
        Ok(())
    }
}

/// One disclosure in words.
fn sentence(entry: &Value, names: &BTreeMap<&str, &str>) -> String {
    let text = |member: &str| entry[member].as_str().unwrap_or_default();
    let at = text("at").parse::<Timestamp>().map_or_else(
        |_| text("at").to_owned(),
        |at| {
            let zone = TimeZone::get("Europe/Riga").unwrap_or(TimeZone::UTC);
            at.to_zoned_datetime(zone).strftime("%d.%m.%Y. %H:%M").to_string()
        },
    );
    let recipient = names.get(text("recipient")).copied().unwrap_or(text("recipient"));
    let register = REGISTERS
        .iter()
        .find(|register| register.dataset == text("dataset"))
        .map_or(text("dataset"), |register| register.title_lv);
    let fields: Vec<&str> = entry["fields"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let permission = text("permission");
    let what = if permission.is_empty() {
        "izpaušanas žurnālu (the disclosure log)".to_owned()
    } else {
        format!("„{register}”: {}", fields.join(", "))
    };
    format!(
        "{at} {recipient} saņēma {what}. Mērķis: {}. Atļauja {permission}.",
        text("purpose")
    )
}
