//! The records of a list inside a JSON document, one by one: memory is that of the largest record.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
};

use dagr_formats::Limits;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::{
    collect::Collect,
    error::{Error, Result},
};

/// Lists told of that are there instead.
const TOLD: usize = 8;
/// Names from the root that lead to those.
const LEVELS: usize = 2;

/// Reads the list at `place`, names joined by `.`.
pub fn read(input: impl BufRead, place: &str, name: &str, rows: &mut Collect<'_>) -> Result<()> {
    let left = Cell::new(0);
    let reading = Reading {
        path: place.split('.').collect(),
        left: &left,
        rows,
        lists: Vec::new(),
        found: 0,
        stopped: None,
    };
    reading.run(input, place, name)
}

struct Reading<'r, 'c> {
    path: Vec<&'r str>,
    /// Bytes that one record, name or value may still take.
    left: &'r Cell<usize>,
    rows: &'r mut Collect<'c>,
    /// Lists that are none of the records.
    lists: Vec<String>,
    /// Lists at the place.
    found: usize,
    /// What stopped the reading, where it was not the document.
    stopped: Option<Error>,
}

impl Reading<'_, '_> {
    fn run(mut self, input: impl BufRead, place: &str, name: &str) -> Result<()> {
        let counted = Counted {
            inner: input,
            left: self.left,
        };
        self.next();
        let mut json = serde_json::Deserializer::from_reader(counted);
        let root = Value {
            reading: &mut self,
            names: Some(Vec::new()),
        };
        let read = root.deserialize(&mut json).and_then(|()| json.end());
        if let Some(error) = self.stopped {
            return Err(error);
        }
        let fault = |message: String| Error::Source(format!("{name}: {message}"));
        read.map_err(|error| fault(format!("{error}; it is not taken")))?;
        match self.found {
            1 => Ok(()),
            0 => Err(fault(format!(
                "there is no list at {place} (source.records){}",
                self.instead()
            ))),
            _ => Err(fault(format!(
                "there is more than one list at {place} (source.records); it is not taken"
            ))),
        }
    }

    fn instead(&self) -> String {
        if self.lists.is_empty() {
            String::new()
        } else {
            format!("; lists are at {}", self.lists.join(", "))
        }
    }

    /// Another record, name or value begins.
    fn next(&self) {
        self.left.set(Limits::default().max_row_bytes);
    }

    /// Do the names lead towards the place?
    fn leads(&self, names: &[String]) -> bool {
        names.len() <= self.path.len() && names.iter().zip(&self.path).all(|(name, own)| name == own)
    }
}

/// A value of the document.
struct Value<'v, 'r, 'c> {
    reading: &'v mut Reading<'r, 'c>,
    /// What leads to it from the root; `None` where nothing in it matters.
    names: Option<Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> std::result::Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<(), M::Error> {
        let reading = self.reading;
        loop {
            reading.next();
            let Some(name) = map.next_key::<String>()? else {
                return Ok(());
            };
            reading.next();
            let names = self
                .names
                .as_ref()
                .map(|names| [names.as_slice(), &[name]].concat());
            let names = names.filter(|names| names.len() <= LEVELS || reading.leads(names));
            map.next_value_seed(Value { reading, names })?;
        }
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> std::result::Result<(), S::Error> {
        let reading = self.reading;
        let names = self.names.unwrap_or_default();
        if names == reading.path {
            reading.found += 1;
            for row in 1.. {
                reading.next();
                let Some(record) = list.next_element::<Box<RawValue>>()? else {
                    break;
                };
                if let Err(error) = reading.rows.json(row, record.get().as_bytes()) {
                    reading.stopped = Some(error);
                    return Err(S::Error::custom("stopped"));
                }
            }
            return Ok(());
        }
        if !names.is_empty() && reading.lists.len() < TOLD {
            reading.lists.push(names.join("."));
        }
        reading.next();
        while list.next_element_seed(Value { reading, names: None })?.is_some() {
            reading.next();
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
}

/// An error where one record, name or value takes too much.
struct Counted<'l, R> {
    inner: R,
    left: &'l Cell<usize>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(self.left.get());
        if most == 0 && !out.is_empty() {
            return Err(io::Error::other("one record or name is longer than 8 MiB"));
        }
        let length = self.inner.read(&mut out[..most])?;
        self.left.set(self.left.get() - length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dagr_model::schema::Schema;

    use super::*;
    use crate::{
        collect::{Refused, Take},
        feed::MapSpec,
    };

    const DEFINITION: &str =
        "name: x_cars\nkey: Id\ndata_description: d\nfields:\n  - Id int : n\n  - Mass decimal : m\n";

    #[derive(Default)]
    struct Kept(Vec<String>);

    impl Take for Kept {
        fn record(&mut self, row: u64, _: &[u8], _: &[u8; 32], json: &[u8]) -> Result<()> {
            self.0.push(format!("{row} {}", String::from_utf8_lossy(json)));
            Ok(())
        }

        fn refused(&mut self, refused: Vec<Refused>, _: Option<Vec<u8>>) -> Result<()> {
            self.0.extend(refused.into_iter().map(|refused| refused.rule));
            Ok(())
        }
    }

    fn records(text: impl Read) -> std::result::Result<Vec<String>, String> {
        let schema = Arc::new(Schema::compile(Arc::new(DEFINITION.parse().unwrap()), None));
        let (spec, mut kept) = (MapSpec::default(), Kept::default());
        let mut rows = Collect::new(&schema, &spec, &mut kept);
        read(io::BufReader::new(text), "data.items", "x.json", &mut rows)
            .and_then(|()| rows.finish().map(|_| ()))
            .map_err(|error| error.to_string())?;
        Ok(kept.0)
    }

    #[test]
    fn records_stand_in_their_list_and_nowhere_else() {
        let text = r#"{"made": 1.50, "items": [{"Id": 8}], "data": {"n": null, "items": [{"Id": 1, "Mass": 0.10}, {"Id": 2}], "more": [[{"data": {"items": [1]}}]]}}"#;
        let read = records(text.as_bytes()).unwrap();
        assert_eq!(read, [r#"1 {"Id":1,"Mass":0.1}"#, r#"2 {"Id":2}"#]);
        assert!(records(&br#"{"data": {"items": []}}"#[..]).unwrap().is_empty());
    }

    #[test]
    fn a_list_that_is_not_there_is_told_with_those_that_are() {
        for (text, wanted) in [
            (
                r#"{"items": [], "data": {"rows": [1], "items": null}, "more": {"a": {"b": []}, "c": []}}"#,
                "there is no list at data.items (source.records); lists are at items, data.rows, more.c",
            ),
            ("[1]", "there is no list at data.items (source.records)"),
            (r#"{"data": {"items": [{"Id": 1}"#, "line 1"),
            (r#"{"data": {"items": []}} x"#, "line 1"),
            (
                r#"{"data": {"items": []}, "data": {"items": []}}"#,
                "more than one list",
            ),
        ] {
            let told = records(text.as_bytes()).unwrap_err();
            assert!(told.contains(wanted), "{text}: {told}");
        }
        let deep = format!("{{\"a\": {}", "[".repeat(1_000));
        assert!(records(deep.as_bytes()).unwrap_err().contains("recursion"));
    }

    #[test]
    fn only_what_lies_in_one_record_is_ever_held() {
        let long = Limits::default().max_row_bytes as u64;
        let of = |begin: &'static str, end: &'static str| {
            begin
                .as_bytes()
                .chain(io::repeat(b' ').take(long))
                .chain(end.as_bytes())
        };
        // Each is within the limit, all of them are not.
        let list = r#"{"data": {"items": [{"Id": 1}"#;
        let text = list
            .as_bytes()
            .chain(io::repeat(b' ').take(long / 2))
            .chain(&b",{\"Id\": 2}"[..])
            .chain(io::repeat(b' ').take(long / 2))
            .chain(&b",{\"Id\": 3}]}}"[..]);
        assert_eq!(records(text).unwrap().len(), 3);
        for (begin, end) in [
            (r#"{"data": {"items": [{"Id": "#, "1}]}}"),
            (r#"{""#, r#"": 1}"#),
            (r#"{"a": ""#, r#""}"#),
        ] {
            let told = records(of(begin, end)).unwrap_err();
            assert!(told.contains("longer than 8 MiB"), "{told}");
        }
    }
}
