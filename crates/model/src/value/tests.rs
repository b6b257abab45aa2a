use proptest::prelude::*;

use super::*;

fn plain(text: &str) -> Result<String, &'static str> {
    let mut out = Vec::new();
    decimal(text, &mut out)
        .map(|()| String::from_utf8(out).unwrap())
        .map_err(|refusal| refusal.rule)
}

fn instant(text: &str) -> Result<String, &'static str> {
    let mut out = Vec::new();
    let read = Instant::parse(text, &TimeZone::UTC).map_err(|refusal| refusal.rule)?;
    read.write(&mut out);
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn decimals_are_plain() {
    for (given, canonical) in [
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("-0", "0"),
        ("0.000", "0"),
        ("-12.5E-4", "-0.00125"),
        ("100", "100"),
        ("007.10", "7.1"),
        ("0e999999999999", "0"),
    ] {
        assert_eq!(plain(given).as_deref(), Ok(canonical), "{given}");
    }
    for broken in [
        "", "-", ".5", "5.", "1e", "1_0", "+1", "NaN", "1.2.3", "1e1.5", "--1",
    ] {
        assert_eq!(plain(broken), Err("type"), "{broken}");
    }
    assert_eq!(plain("1e63").unwrap().len(), 64);
    for wide in [
        "1e64",
        "1e-65",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        &"9".repeat(65),
    ] {
        assert_eq!(plain(wide), Err("range"), "{wide}");
    }
}

#[test]
fn timestamps_are_utc_to_the_last_day() {
    for (given, canonical) in [
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        (
            "2020-01-01t02:30:00.120000000000+02:30",
            "2020-01-01T00:00:00.12Z",
        ),
        ("9999-12-31 23:59:59Z", "9999-12-31T23:59:59Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59.000000001Z", "1969-12-31T23:59:59.000000001Z"),
    ] {
        assert_eq!(instant(given).as_deref(), Ok(canonical), "{given}");
    }
    assert_eq!(instant("9999-12-31T23:59:59-01:00"), Err("range"));
    for broken in [
        "2020-01-01",
        "2020-01-01T24:00:00Z",
        "2020-13-01T00:00:00Z",
        "2020-01-01T00:00:00.Z",
        "2020-01-01T00:00:00+0200",
        "2020-01-01T00:00:00.0000000001Z",
    ] {
        assert_eq!(instant(broken), Err("type"), "{broken}");
    }
}

#[test]
fn a_gap_of_the_clock_moves_on_and_the_far_end_has_an_offset() {
    let riga = TimeZone::get("Europe/Riga").unwrap();
    let read = |text: &str| {
        let mut out = Vec::new();
        Instant::parse(text, &riga).unwrap().write(&mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(read("2021-03-28T03:30:00"), "2021-03-28T01:30:00Z");
    assert_eq!(read("2021-10-31T03:30:00"), "2021-10-31T00:30:00Z");
    assert_eq!(read("9999-12-31T23:59:59"), "9999-12-31T21:59:59Z");
}

#[test]
fn personal_codes_need_date_century_and_check_digit() {
    assert_eq!(person_code("161175-19997").unwrap(), *b"16117519997");
    assert_eq!(person_code("32345678901").unwrap(), *b"32345678901");
    assert_eq!(person_code("399999-99999").unwrap(), *b"39999999999");
    for wrong in [
        "161175-19996",
        "311175-19997",
        "161175-39997",
        "1611751999",
        "161175_19997",
        "31000000000",
        "40000000000",
    ] {
        assert_eq!(person_code(wrong).unwrap_err().rule, "person_code", "{wrong}");
    }
    assert_eq!(subject_code("161175-19997"), "16117519997");
    assert_eq!(subject_code("LV-1234"), "LV-1234");
    assert!(org_code("40003032949").is_ok());
    assert_eq!(org_code("4000303-2949").unwrap_err().rule, "org_code");
}

proptest! {
    #[test]
    fn both_published_forms_of_the_check_digit_agree(digits in prop::collection::vec(0..10i64, 10)) {
        let weigh = |weights: [i64; 10]| weights.iter().zip(&digits).map(|(w, d)| w * d).sum::<i64>();
        let ours = (1 + weigh([10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10;
        prop_assert_eq!(ours, (1101 - weigh([1, 6, 3, 7, 9, 10, 5, 8, 4, 2])).rem_euclid(11) % 10);
    }

    #[test]
    fn canonical_decimals_are_fixed_points(whole in any::<i64>(), exponent in -30..30i32) {
        let canonical = plain(&format!("{whole}e{exponent}")).unwrap();
        prop_assert_eq!(plain(&canonical).unwrap(), canonical);
    }

    #[test]
    fn instants_read_back(seconds in -62_167_219_200i64..253_402_300_800, nanos in 0..1_000_000_000u32) {
        let mut out = Vec::new();
        let instant = Instant::new(seconds, nanos).unwrap();
        instant.write(&mut out);
        let text = String::from_utf8(out).unwrap();
        prop_assert_eq!(Instant::parse(&text, &TimeZone::UTC), Ok(instant));
        if let Ok(other) = text.parse::<Timestamp>() {
            prop_assert_eq!(other.as_second() - i64::from(other.subsec_nanosecond() < 0), seconds);
        }
    }
}
