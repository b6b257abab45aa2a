use proptest::prelude::*;

use super::*;

fn check(text: &str) -> Result<Kind, Broken> {
    let mut reader = Reader::new(text.as_bytes(), 8);
    let (kind, _) = reader.value()?;
    reader.end()?;
    Ok(kind)
}

#[test]
fn accepts_what_json_is() {
    for text in [
        "{}",
        "[]",
        "\"\"",
        "0",
        "-0.5e+10",
        "true",
        "false",
        "null",
        r#"{"a":[1,{"b":"\u00e4\ud83d\ude00\n"}] , "c" : {} }"#,
        r#"{"a":1,"b":{"a":1}}"#,
    ] {
        assert!(check(text).is_ok(), "{text}: {:?}", check(text));
    }
}

#[test]
fn refuses_what_json_is_not() {
    for text in [
        "",
        "{",
        "[",
        "\"",
        "01",
        "-",
        "1.",
        "1e",
        "+1",
        ".5",
        "tru",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[1 2]",
        "\"\t\"",
        r#""\x""#,
        r#""\u12g4""#,
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\u0041""#,
        "{} {}",
        "NaN",
        "'a'",
        "[}",
        "{]",
    ] {
        assert_eq!(check(text).map_err(|broken| broken.rule), Err("json"), "{text}");
    }
}

#[test]
fn members_that_repeat_are_found_also_when_escaped() {
    let many: Vec<String> = (0..100).map(|n| format!("\"f{n}\":1")).collect();
    let many = format!("{{{},\"f50\":2}}", many.join(","));
    for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#, many.as_str()] {
        assert_eq!(check(text).unwrap_err().rule, "duplicate_member", "{text}");
    }
}

#[test]
fn depth_is_bounded() {
    assert!(check("[[[[[[[[]]]]]]]]").is_ok());
    assert_eq!(check("[[[[[[[[[]]]]]]]]]").unwrap_err().rule, "depth");
    assert_eq!(check(&"{\"a\":".repeat(1_000_000)).unwrap_err().rule, "depth");
}

/// JSON texts, then broken a little.
fn texts() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[0-9]{1,3}(\\.[0-9]{0,2})?(e[+-]?[0-9]{0,2})?",
        "\"([a-zā\\\\ ]|\\\\u00e4|\\\\ud83d\\\\ude00|\\\\n){0,5}\"",
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(" , "))),
            proptest::collection::vec(inner, 0..4).prop_map(|items| {
                let members: Vec<String> = items
                    .iter()
                    .enumerate()
                    .map(|(n, item)| format!("\"m{n}\": {item}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_serde_json(text in texts(), cut in any::<proptest::sample::Index>(), broken in any::<bool>()) {
        let mut text = text;
        if broken {
            let at = cut.index(text.len() + 1);
            let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(at);
        }
        let ours = check(&text).is_ok();
        let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        prop_assert_eq!(ours, theirs, "{}", text);
    }

    #[test]
    fn never_panics(text in ".*") {
        let _ = check(&text);
    }
}
