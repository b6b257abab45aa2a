use proptest::prelude::*;

use super::*;

const NAMES: [&str; 3] = ["Fizisko personu reģistra likums", "FPRL", "MK 2021/1"];

fn cites(article: &str, text: &str) -> bool {
    Citation::new(NAMES, article).is_in(text, [])
}

#[test]
fn an_article_is_found_however_people_write_it() {
    for text in [
        "Fizisko personu reģistra likuma 5. pants",
        "FIZISKO PERSONU REĢISTRA LIKUMĀ, 5. p.",
        "saskaņā ar FPRL 5. panta otrās daļas 3. punktu",
        "FPRL 4., 5. un 9. pants",
        "FPRL 3.–7. pants",
        "Sociālo pakalpojumu likums, 1. pants; FPRL 5.p.",
        "FPRL, article 5",
        "FPRL § 5",
        "MK 2021/1 5. punkts",
        "FPRL",
    ] {
        assert!(cites("5", text), "{text}");
    }
    for text in [
        "FPRL 5.1 pants",
        "FPRL 5.¹ pants",
        "FPRL 5¹. pants",
        "FPRL 5.–7. pants",
    ] {
        assert!(cites("5.1", text), "{text}");
    }
}

#[test]
fn another_article_or_another_act_is_not_found() {
    for text in [
        "",
        "5. pants",
        "FPRL 15. pants",
        "FPRL 5.1 pants",
        "FPRL 4. panta 5. daļa",
        "FPRL 4. panta 5. punkts",
        "FPRL 6.–9. pants",
        "FPRL 4. pants; Sociālo pakalpojumu likuma 5. pants",
        "Fizisko personu likuma 5. pants",
        "MK 2021/5, 5. p.",
    ] {
        assert!(!cites("5", text), "{text}");
    }
}

#[test]
fn a_fields_law_is_read_behind_the_act_of_the_legal_basis() {
    let five = Citation::new(NAMES, "5");
    assert!(five.is_in("FPRL", ["4. pants", "5. pants"]));
    assert!(!five.is_in("FPRL", ["4. pants", "6. pants"]), "not the whole act");
    assert!(!five.is_in("Cits likums", ["5. pants"]));
    assert!(!five.is_in("FPRL 4. pants", ["Cita likuma 5. pants"]));
    assert!(five.is_in("Cits likums", ["FPRL 5. pants"]));
    assert!(!five.is_in("FPRL 4. pants", ["", "sk. iepriekš"]));
}

#[test]
fn nothing_is_found_under_no_name() {
    assert!(!Citation::new(["", " — "], "5").is_in("5. pants", ["5. pants"]));
}

proptest! {
    #[test]
    fn whatever_stands_around_a_citation_in_other_parts_hides_it_not(before in ".{0,60}", after in ".{0,60}", article in 1u32..400) {
        let text = format!("{before};FPRL {article}. pants;{after}");
        prop_assert!(cites(&article.to_string(), &text));
    }

    #[test]
    fn any_text_is_read_without_fault(text in "\\PC{0,200}", law in "\\PC{0,80}", article in "\\PC{0,8}") {
        Citation::new([text.as_str()], &article).is_in(&text, [law.as_str()]);
    }

    #[test]
    fn one_article_is_not_another(cited in 1u32..400, asked in 1u32..400) {
        let text = format!("FPRL {cited}. pants");
        prop_assert_eq!(cites(&asked.to_string(), &text), cited == asked);
    }
}
