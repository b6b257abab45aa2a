//! A masked record under the narrowed definition.

use super::*;
use crate::definition::{Definition, Field};

/// The fields in preorder.
fn visit(fields: &mut [Field], change: &mut impl FnMut(&mut Field)) {
    for field in fields {
        change(field);
        visit(&mut field.fields, change);
    }
}

fn required(definition: &mut Definition, at: usize, required: bool) {
    let mut next = 0;
    visit(&mut definition.fields, &mut |field| {
        if next == at {
            field.required = required;
        }
        next += 1;
    });
}

/// Pets with as many required fields of those chosen as the record allows, and the record under it.
fn strict(value: &Value, bits: u64) -> (Definition, Canonical) {
    let mut definition = pets();
    visit(&mut definition.fields, &mut |field| {
        field.required = ["Code", "Year"].contains(&field.name.as_str());
    });
    let mut fields = 0;
    visit(&mut definition.fields, &mut |_| fields += 1);
    for at in (2..fields).filter(|at| bits & (1 << at) != 0) {
        required(&mut definition, at, true);
        if compiled(definition.clone())
            .read_json(value.to_string().as_bytes())
            .is_err()
        {
            required(&mut definition, at, false);
        }
    }
    let record = read(&compiled(definition.clone()), value);
    (definition, record)
}

fn parsed(definition: &Definition) -> Definition {
    let text = definition.print();
    Definition::parse(&text).unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_masked_record_reads_back_to_the_same_bytes(value in pets_record(), bits: u64, strict_at: u64) {
        let (definition, record) = strict(&value, strict_at);
        let schema = compiled(definition.clone());
        let mut paths = chosen(&schema, bits);
        paths.extend(["Code".to_owned(), "Year".to_owned()]);
        let narrowed = definition.narrowed(&paths);
        prop_assert_eq!(&parsed(&narrowed), &narrowed);
        let masked = projected(&schema, &record, &schema.mask(&paths));
        let again = compiled(narrowed).read_json(masked.as_bytes());
        prop_assert_eq!(again.map(|again| text(&again)), Ok(masked));
    }

    #[test]
    fn where_the_key_is_hidden_a_masked_record_misses_only_that(value in pets_record(), bits: u64) {
        let (definition, record) = strict(&value, 0);
        let schema = compiled(definition.clone());
        let hidden = |path: &String| !["Code", "Year"].contains(&path.as_str());
        let paths: Vec<String> = chosen(&schema, bits).into_iter().filter(hidden).collect();
        let narrowed = definition.narrowed(&paths);
        prop_assert_eq!(&parsed(&narrowed), &narrowed);
        let masked = projected(&schema, &record, &schema.mask(&paths));
        let faults = compiled(narrowed).read_json(masked.as_bytes()).unwrap_err();
        let faults: Vec<(&str, &str)> = faults.iter().map(|fault| (&*fault.place, &*fault.rule)).collect();
        prop_assert_eq!(faults, [("Year", "required"), ("Code", "required")]);
    }
}
