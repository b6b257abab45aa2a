//! What is registered beside data sets: classifiers that judge what is delivered, what each system is for, and the acts
//! that permissions cite. Texts of articles are summaries made for the demo.

use dagr_model::definition::Definition;
use serde_json::{Value, json};

use super::{
    nation::{Nation, REGISTERS, Register, RegisterName},
    office::Office,
    tell::thousands,
};
use crate::commands::Failure;

/// Some countries; `LVN` is the nation's own word for its non-citizens.
const COUNTRIES: &[(&str, &str, &str)] = &[
    ("LVA", "Latvija", "Latvia"),
    ("LVN", "Latvijas nepilsonis", "Non-citizen of Latvia"),
    ("EST", "Igaunija", "Estonia"),
    ("LTU", "Lietuva", "Lithuania"),
    ("POL", "Polija", "Poland"),
    ("UKR", "Ukraina", "Ukraine"),
];

/// Id, title, address, names it is cited by, articles.
type ActTold = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const ACTS: &[ActTold] = &[
    (
        "PL",
        "Pašvaldību likums",
        "https://likumi.lv/ta/id/336956",
        &[],
        &["4"],
    ),
    (
        "KL",
        "Kredītiestāžu likums",
        "https://likumi.lv/ta/id/37426",
        &[],
        &["71"],
    ),
    (
        "NILLTPFN",
        "Noziedzīgi iegūtu līdzekļu legalizācijas un terorisma un proliferācijas finansēšanas novēršanas likums",
        "https://likumi.lv/ta/id/178987",
        &["Noziedzīgi iegūtu līdzekļu legalizācijas novēršanas likums"],
        &["11"],
    ),
    (
        "SL",
        "Statistikas likums",
        "https://likumi.lv/ta/id/274749",
        &[],
        &["19"],
    ),
    (
        "SPSPL",
        "Sociālo pakalpojumu un sociālās palīdzības likums",
        "https://likumi.lv/ta/id/68488",
        &["SPSPL"],
        &["33", "35"],
    ),
    (
        "IL",
        "Invaliditātes likums",
        "https://likumi.lv/ta/id/211494",
        &[],
        &["12"],
    ),
    (
        "IzL",
        "Izglītības likums",
        "https://likumi.lv/ta/id/50759",
        &[],
        &["17"],
    ),
    (
        "BTAL",
        "Bērnu tiesību aizsardzības likums",
        "https://likumi.lv/ta/id/49096",
        &[],
        &["26"],
    ),
];

/// Act and article.
const REVISED: (&str, &str) = ("SL", "19");

pub async fn enter(office: &Office, nation: &Nation) -> Result<(), Failure> {
    for register in REGISTERS {
        describe(office, nation, register).await?;
    }
    for (id, title, url, names, articles) in ACTS {
        let body = json!({ "title": title, "url": url, "names": names });
        office.put(&format!("/registry/acts/{id}"), &body).await?;
        for number in *articles {
            let summary = format!(
                "Kopsavilkums demonstrācijai: {number}. pants, uz ko atsaucas atļaujas un pieteikumi."
            );
            article(office, id, number, 1, &summary, "Pirmais ieraksts").await?;
        }
    }
    // One that changes after permissions were given under it.
    let (id, number) = REVISED;
    let summary = format!("Kopsavilkums demonstrācijai: {number}. pants jaunā redakcijā.");
    article(office, id, number, 2, &summary, "Demonstrācija: pants pārskatīts").await
}

/// A version, unless it or a later one is there.
async fn article(
    office: &Office,
    act: &str,
    number: &str,
    version: u64,
    text: &str,
    reason: &str,
) -> Result<(), Failure> {
    let path = format!("/registry/acts/{act}/articles");
    let known = office.operator.get(&path).await?;
    let mut known = known["articles"].as_array().into_iter().flatten();
    let there = known
        .find(|one| one["number"] == number)
        .and_then(|one| one["version"].as_u64());
    if there.unwrap_or(0) < version {
        let body = json!({ "text": text, "reason": reason });
        office.put(&format!("{path}/{number}"), &body).await?;
    }
    Ok(())
}

/// Before the first record is delivered: they judge it. Each is kept by the register that uses it most.
pub async fn classifiers(office: &Office) -> Result<(), Failure> {
    let described = json!({
        "title": "Administratīvo teritoriju un teritoriālo vienību klasifikators (ATVK): valstspilsētas un novadi",
        "title_en": "Administrative territories (ATVK): state cities and municipalities",
        "keeper": keeper(RegisterName::Addresses),
    });
    let first = [("2021-07-01", "Administratīvi teritoriālā reforma", territories())];
    office.classifier("ATVK", &described, &first).await?;

    let described = json!({
        "title": "Saimniecisko darbību statistiskā klasifikācija (NACE 2.1. red.): klases, ko lieto demonstrācija",
        "title_en": "Statistical classification of economic activities (NACE Rev. 2.1): classes the demo uses",
        "keeper": keeper(RegisterName::Enterprises),
        "url": "https://eur-lex.europa.eu/eli/reg_del/2023/137/oj",
    });
    let first = [("2025-01-01", "NACE 2.1. redakcija", trades())];
    office.classifier("NACE", &described, &first).await?;

    let described = json!({
        "title": "Valstiskā piederība",
        "title_en": "Citizenship",
        "description": "Trīsburtu kodi: valstis pēc ISO 3166-1; LVN – Latvijas nepilsonis; XXA (ICAO 9303) – bezvalstnieks.",
        "keeper": keeper(RegisterName::Persons),
    });
    let versions = [
        ("2021-01-01", "Pirmais saraksts", countries("Turkey", false)),
        (
            "2022-07-01",
            "Turcijas jaunais nosaukums angļu valodā; pievienoti bezvalstnieki",
            countries("Türkiye", true),
        ),
    ];
    office.classifier("VALSTIS", &described, &versions).await
}

fn territories() -> Vec<Value> {
    let all = Nation::municipalities().iter();
    all.map(|one| value(one.code, one.name, None)).collect()
}

fn trades() -> Vec<Value> {
    let all = Nation::trades().iter();
    all.map(|(code, name)| value(code, name, None)).collect()
}

/// `turkey`: as it is called in English; `stateless`: whether there is a code for whoever has no country.
fn countries(turkey: &str, stateless: bool) -> Vec<Value> {
    let known = COUNTRIES.iter().map(|(code, lv, en)| value(code, lv, Some(en)));
    let more = stateless.then(|| value("XXA", "Bezvalstnieks", Some("Stateless person")));
    let turkey = value("TUR", "Turcija", Some(turkey));
    known.chain([turkey]).chain(more).collect()
}

fn value(code: &str, name: &str, name_en: Option<&str>) -> Value {
    json!({ "code": code, "name": name, "name_en": name_en })
}

fn keeper(name: RegisterName) -> &'static str {
    let register = REGISTERS.iter().find(|register| register.name == name);
    register.map_or("", |register| register.provider_number)
}

async fn describe(office: &Office, nation: &Nation, register: Register) -> Result<(), Failure> {
    let definition: Definition = register
        .definition
        .parse()
        .map_err(|_| Failure::here(format!("the definition of {}", register.dataset)))?;
    let act = definition
        .source
        .as_ref()
        .and_then(|source| source.legal_act.clone());
    let many = matches!(register.name, RegisterName::Persons | RegisterName::Addresses);
    let facts = json!({
        "purposes": format!("Uztur reģistru „{}” un sniedz tā ziņas iestādēm.", register.title_lv),
        "content": definition.description,
        "controller": register.provider_name,
        "volume": format!("{} ieraksti", thousands(nation.count(register.name))),
        "processing": "Ziņas ieraksta, labo, glabā un izsniedz pēc atļaujas; katru izsniegšanu ieraksta žurnālā.",
        "conditions_of_access": if definition.is_open() {
            "Atvērti dati: atļauja nav vajadzīga."
        } else {
            "Iestādēm ar datu devēja atļauju, norādītajam mērķim."
        },
        "legal_acts": act.as_slice(),
        "criticality": if many { "critical" } else { "important" },
    });
    let path = format!("/registry/systems/{}/facts", register.system_code);
    if office.operator.get(&path).await.is_err() {
        let body = json!({ "facts": facts, "reason": "Pirmais apraksts" });
        office.put(&path, &body).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Arc};

    use dagr_model::{
        classifier::{CodeList, Codes},
        schema::Schema,
    };

    use super::*;

    #[test]
    fn no_record_of_the_nation_holds_a_code_that_its_list_does_not() {
        let nation = Nation::new(1, 2_000);
        let list = |id: &str| {
            let values = match id {
                "ATVK" => territories(),
                "NACE" => trades(),
                "VALSTIS" => countries("Türkiye", true),
                _ => return None,
            };
            let codes: HashSet<&str> = values.iter().filter_map(|value| value["code"].as_str()).collect();
            assert_eq!(codes.len(), values.len(), "{id} has a code twice");
            Some(Arc::new(CodeList::new(id, 1, codes.iter().copied())))
        };
        let mut judged = 0;
        for register in REGISTERS {
            let definition: Definition = register.definition.parse().unwrap();
            judged += definition.classifiers().count();
            let schema = Schema::compile(Arc::new(definition), None);
            let codes = Codes::of(&schema, list);
            let mut out = Vec::new();
            nation.write(register.name, 0, u64::MAX, &mut out);
            for line in String::from_utf8(out).unwrap().lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                let read = schema.read_json_by(&codes, line["record"].to_string().as_bytes());
                assert_eq!(read.err(), None, "{line}");
            }
        }
        assert_eq!(judged, 6);
    }
}
