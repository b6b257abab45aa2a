//! What must agree between the registers of one nation.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use dagr_model::definition::Definition;
use dagr_model::expression::Transition;
use dagr_model::record::Canonical;
use dagr_model::schema::Schema;
use serde_json::Value;

use super::codes::check_digit;
use super::*;

fn records(nation: &Nation, register: RegisterName) -> Vec<Value> {
    let mut out = Vec::new();
    nation.write(register, 0, u64::MAX, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    let records: Vec<Value> = text
        .lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).expect("a line of JSON");
            assert_eq!(line["op"], "upsert");
            line["record"].take()
        })
        .collect();
    assert_eq!(records.len() as u64, nation.count(register));
    records
}

fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record[field].as_str().unwrap_or_default()
}

fn by<'a>(records: &'a [Value], field: &str) -> HashMap<&'a str, &'a Value> {
    let map: HashMap<_, _> = records
        .iter()
        .map(|record| (text(record, field), record))
        .collect();
    assert_eq!(map.len(), records.len(), "{field} is not unique");
    map
}

fn list<'a>(record: &'a Value, field: &str) -> &'a [Value] {
    record[field].as_array().map_or(&[], Vec::as_slice)
}

fn is_valid_code(code: &str) -> bool {
    let digits = code.as_bytes();
    if digits.len() != 11 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    if digits.starts_with(b"32") {
        return true;
    }
    let number = |from: usize| code[from..from + 2].parse::<i64>().unwrap_or(0);
    let year = number(4) + if digits[6] == b'1' { 1900 } else { 2000 };
    let born = Day::of(year, number(2), number(0));
    born.civil() == (year, number(2), number(0)) && check_digit(&digits[..10]) == Some(digits[10])
}

#[test]
fn codes_are_valid_and_unique() {
    let nation = Nation::new(1, 50_000);
    let codes: HashSet<String> = (0..nation.persons())
        .map(|index| {
            let person = nation.person(index);
            assert!(is_valid_code(&person.code), "{}", person.code);
            if person.code.starts_with("32") {
                return person.code;
            }
            let (year, month, day) = person.born.civil();
            assert!(person.born < Day::of(2017, 7, 1));
            assert_eq!(person.code[..6], format!("{day:02}{month:02}{:02}", year % 100));
            person.code
        })
        .collect();
    assert_eq!(codes.len(), 50_000);
}

#[test]
fn families_hold_together() {
    let nation = Nation::new(2, 30_000);
    let people = records(&nation, RegisterName::Persons);
    let addresses = records(&nation, RegisterName::Addresses);
    let (person, address) = (by(&people, "PersonCode"), by(&addresses, "Code"));
    let (mut married, mut with_parents) = (0, 0);
    for record in &people {
        if text(record, "Status") == "alive" {
            let home = address[text(record, "AddressCode")];
            assert_eq!(home["MunicipalityCode"], record["MunicipalityCode"]);
        } else {
            assert!(text(record, "DiedOn") > text(record, "BornOn") && text(record, "DiedOn") < "2026-07");
        }
        if let Some(spouse) = record["SpouseCode"].as_str() {
            let spouse = person[spouse];
            assert_eq!(spouse["SpouseCode"], record["PersonCode"]);
            assert_ne!(spouse["Sex"], record["Sex"]);
            assert_eq!(
                (text(spouse, "MaritalStatus"), text(record, "Status")),
                ("married", "alive")
            );
            married += 1;
        }
        for parent in list(record, "Parents") {
            let entry = person[text(parent, "PersonCode")];
            assert_eq!(entry["Sex"], if parent["Role"] == "mother" { "F" } else { "M" });
            with_parents += 1;
        }
    }
    assert!(
        married > 8_000 && with_parents > 15_000,
        "{married} {with_parents}"
    );
    for index in 0..nation.persons() {
        let child = nation.person(index);
        for parent in [child.mother, child.father].into_iter().flatten() {
            let age = nation.person(parent).born.years_until(child.born);
            assert!((18..=45).contains(&age), "a parent of {age}");
        }
    }
}

#[test]
fn names_end_as_their_bearers_do() {
    let nation = Nation::new(3, 20_000);
    for index in 0..nation.persons() {
        let person = nation.person(index);
        let womanly = person.name.ends_with(['a', 'e']);
        assert_eq!(womanly, person.sex == Sex::Female, "{}", person.name);
        assert!(
            person.sex == Sex::Male || !person.surname.ends_with(['s', 'š']),
            "{}",
            person.surname
        );
        if let (Some(father), Sex::Male) = (person.father, person.sex) {
            assert_eq!(nation.person(father).surname, person.surname);
        }
    }
}

#[test]
fn the_old_and_the_young_are_as_many_as_in_life() {
    let nation = Nation::new(4, 50_000);
    let living: Vec<_> = (0..50_000)
        .map(|index| nation.person(index))
        .filter(|one| one.died.is_none())
        .collect();
    let share = |low: i64, high: i64| {
        let within = |one: &&Person| (low..high).contains(&one.born.years_until(TODAY));
        living.iter().filter(within).count() * 100 / living.len()
    };
    assert!((12..=22).contains(&share(0, 15)), "{}", share(0, 15));
    assert!((48..=68).contains(&share(20, 65)), "{}", share(20, 65));
    assert!((14..=26).contains(&share(65, 120)), "{}", share(65, 120));
    assert!(living.iter().all(|one| one.born <= TODAY));
}

#[test]
fn enterprises_officers_and_employers_exist() {
    let nation = Nation::new(5, 20_000);
    let people = records(&nation, RegisterName::Persons);
    let addresses = records(&nation, RegisterName::Addresses);
    let enterprises = records(&nation, RegisterName::Enterprises);
    let (person, address) = (by(&people, "PersonCode"), by(&addresses, "Code"));
    let enterprise = by(&enterprises, "RegistrationNumber");
    let _distinct = by(&enterprises, "Name");
    for record in &enterprises {
        assert!(address.contains_key(text(record, "AddressCode")));
        for officer in list(record, "Officers") {
            let one = person[text(officer, "PersonCode")];
            assert_eq!(
                (&one["Name"], &one["Surname"]),
                (&officer["Name"], &officer["Surname"])
            );
            assert_eq!(one["Status"], "alive");
            assert!(text(officer, "Since") >= text(record, "RegisteredOn"));
        }
    }
    let mut keys = HashSet::new();
    for record in records(&nation, RegisterName::Insurance) {
        assert!(person.contains_key(text(&record, "PersonCode")));
        assert_eq!(
            enterprise[text(&record, "EmployerCode")]["Name"],
            record["EmployerName"]
        );
        assert!(enterprise[text(&record, "EmployerCode")]["TerminatedOn"].is_null());
        assert!(keys.insert((
            text(&record, "PersonCode").to_owned(),
            record["Month"].to_string()
        )));
    }
    assert!((1..=2).contains(&(keys.len() / 20_000)), "{}", keys.len());
}

#[test]
fn the_sensitive_registers_agree_with_the_persons() {
    let nation = Nation::new(6, 60_000);
    let people = records(&nation, RegisterName::Persons);
    let person = by(&people, "PersonCode");
    let disabled = records(&nation, RegisterName::Disability);
    let _one_each = by(&disabled, "PersonCode");
    assert!((5_000..8_500).contains(&disabled.len()), "{}", disabled.len());
    let orphans = records(&nation, RegisterName::OrphanCertificates);
    assert!(orphans.len() > 50, "{}", orphans.len());
    for record in &orphans {
        let child = person[text(record, "PersonCode")];
        assert!(text(record, "ValidTo") > "2026-06-30" && text(child, "BornOn") < text(record, "IssuedOn"));
        assert_eq!(list(record, "Parents").len(), 2);
        for parent in list(record, "Parents") {
            assert_eq!(person[text(parent, "PersonCode")]["DiedOn"], parent["DiedOn"]);
        }
        assert_eq!(
            person[text(&record["Guardian"], "PersonCode")]["AddressCode"],
            child["AddressCode"]
        );
    }
    let mut ids = HashSet::new();
    for record in records(&nation, RegisterName::Education) {
        assert!(person.contains_key(text(&record, "PersonCode")));
        assert!(ids.insert(record["Id"].to_string()));
        assert!(text(&record, "EnrolledOn") <= "2026-06-30");
        assert!(record["IssuedOn"].is_null() || record["IssuedOn"].as_str() > record["EnrolledOn"].as_str());
    }
}

#[test]
fn the_seed_decides_and_chunks_do_not() {
    let (first, again, other) = (
        Nation::new(9, 6_000),
        Nation::new(9, 6_000),
        Nation::new(10, 6_000),
    );
    for register in REGISTERS {
        let whole = |nation: &Nation| {
            let mut out = Vec::new();
            nation.write(register.name, 0, nation.count(register.name), &mut out);
            out
        };
        assert_eq!(whole(&first), whole(&again));
        assert_ne!(whole(&first), whole(&other));
        let mut chunks = Vec::new();
        for from in (0..first.count(register.name) + 97).step_by(97) {
            first.write(register.name, from, from + 97, &mut chunks);
        }
        assert!(chunks == whole(&first), "{}", register.dataset);
    }
}

#[test]
fn a_story_finds_its_people_and_changes_them() {
    let nation = Nation::new(11, 5_000);
    let person = nation
        .residents("0026000")
        .find(|person| person.spouse.is_some())
        .expect("somebody in Cēsu novads");
    assert_eq!(nation.address_of(person.index).municipality, "Cēsu novads");
    let read = |json: String| serde_json::from_str::<Value>(&json).expect("a record");
    let moved = read(nation.moved(person.index));
    assert_eq!(text(&moved, "PersonCode"), person.code);
    assert_ne!(text(&moved, "AddressCode"), person.address_code);
    assert_eq!(moved["MunicipalityCode"], "0026000");
    let away = read(nation.moved_to(person.index, "0001000").expect("Rīga"));
    assert_eq!(away["MunicipalityCode"], "0001000");
    let dead = read(nation.died(person.index));
    assert_eq!(
        (text(&dead, "Status"), text(&dead, "DiedOn")),
        ("dead", "2026-06-30")
    );
    assert!(dead["SpouseCode"].is_null());
    let left = read(nation.widowed(person.index).expect("a spouse"));
    assert_eq!(text(&left, "MaritalStatus"), "widowed");
    let (enterprise, officer) = nation.enterprise_with_officers();
    assert!(enterprise.active && enterprise.officers.len() >= 2 && officer.died.is_none());
}

#[test]
fn every_record_is_taken_by_its_definition() {
    let nation = Nation::new(12, 12_000);
    for register in REGISTERS {
        let schema = schema(&register);
        for record in records(&nation, register.name) {
            let read = schema.read_json(record.to_string().as_bytes());
            assert!(read.is_ok(), "{}: {:?} {record}", register.dataset, read.err());
        }
    }
}

fn schema(register: &Register) -> Schema {
    let definition = Definition::parse(register.definition)
        .unwrap_or_else(|faults| panic!("{}: {faults:?}", register.dataset));
    assert_eq!(definition.name.as_str(), register.dataset);
    assert_eq!(register.provider_number.len(), 11);
    Schema::compile(Arc::new(definition), None)
}

#[test]
fn a_move_and_a_death_are_told_in_their_lists_alone() {
    let nation = Nation::new(13, 2_000);
    let register = REGISTERS
        .into_iter()
        .find(|one| one.name == RegisterName::Persons)
        .expect("persons");
    let schema = schema(&register);
    let read = |json: &str| schema.read_json(json.as_bytes()).expect("a record");
    let person = nation.residents("0001000").next().expect("somebody in Rīga");
    let mut line = Vec::new();
    nation.write(RegisterName::Persons, person.index, person.index + 1, &mut line);
    let line: Value = serde_json::from_slice(&line).expect("a line");
    let old = read(&line["record"].to_string());
    let told = |old: Option<&Canonical>, new: &Canonical| -> Vec<String> {
        let lists = schema.definition.changes.iter();
        let holds = |when: &str| {
            let list = Transition::compile(when, &schema).expect("an expression");
            list.holds(&schema, old.map(Canonical::as_ref), Some(new.as_ref()))
                .expect("no failure")
        };
        lists
            .filter(|list| holds(&list.when))
            .map(|list| list.name.clone())
            .collect()
    };
    assert_eq!(told(None, &old), Vec::<String>::new());
    assert_eq!(told(Some(&old), &read(&nation.moved(person.index))), ["moved"]);
    assert_eq!(told(Some(&old), &read(&nation.died(person.index))), ["died"]);
    for register in REGISTERS {
        let schema = self::schema(&register);
        for list in &schema.definition.changes {
            assert!(
                Transition::compile(&list.when, &schema).is_ok(),
                "{}: {}",
                register.dataset,
                list.name
            );
        }
    }
}
