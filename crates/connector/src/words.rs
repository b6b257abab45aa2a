//! A table of a TOML file, word by word: what is missing, of another kind or unknown becomes a fault, all at once.

use std::{collections::BTreeMap, time::Duration};

use dagr_model::fault::{Fault, nearest};
use toml::{Table, Value};

/// One table while it is read. Every word asked for is known; the rest are faults at [`Words::end`].
pub struct Words<'t> {
    table: &'t Table,
    place: String,
    asked: Vec<&'static str>,
}

impl<'t> Words<'t> {
    pub fn new(table: &'t Table, place: impl Into<String>) -> Self {
        Self {
            table,
            place: place.into(),
            asked: Vec::new(),
        }
    }

    pub fn place(&self, word: &str) -> String {
        if self.place.is_empty() {
            word.to_owned()
        } else {
            format!("{}.{word}", self.place)
        }
    }

    pub fn value(&mut self, word: &'static str) -> Option<&'t Value> {
        self.asked.push(word);
        self.table.get(word)
    }

    fn of_kind<T>(
        &mut self,
        faults: &mut Vec<Fault>,
        word: &'static str,
        kind: &str,
        read: impl FnOnce(&'t Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(word)?;
        let read = read(value);
        if read.is_none() {
            faults.push(Fault::new(self.place(word), "kind", format!("expected {kind}")));
        }
        read
    }

    pub fn text(&mut self, faults: &mut Vec<Fault>, word: &'static str) -> Option<String> {
        self.of_kind(faults, word, "a text", |value| {
            value.as_str().map(str::to_owned).filter(|text| !text.is_empty())
        })
    }

    pub fn bool(&mut self, faults: &mut Vec<Fault>, word: &'static str) -> Option<bool> {
        self.of_kind(faults, word, "true or false", Value::as_bool)
    }

    pub fn number(&mut self, faults: &mut Vec<Fault>, word: &'static str) -> Option<u64> {
        self.of_kind(faults, word, "a whole number, zero or more", |value| {
            value.as_integer().and_then(|number| u64::try_from(number).ok())
        })
    }

    /// `90s`, `15m`, `24h`, `7d`.
    pub fn duration(&mut self, faults: &mut Vec<Fault>, word: &'static str) -> Option<Duration> {
        self.of_kind(
            faults,
            word,
            "a time such as \"500ms\", \"90s\", \"15m\" or \"24h\"",
            |value| duration(value.as_str()?),
        )
    }

    pub fn texts(&mut self, faults: &mut Vec<Fault>, word: &'static str) -> Vec<String> {
        self.of_kind(faults, word, "a list of texts", |value| {
            let items = value.as_array()?.iter();
            items.map(|item| item.as_str().map(str::to_owned)).collect()
        })
        .unwrap_or_default()
    }

    /// Names and texts, as `{ a = "b" }`.
    pub fn pairs(&mut self, faults: &mut Vec<Fault>, word: &'static str) -> BTreeMap<String, String> {
        self.of_kind(faults, word, "a table of texts", |value| {
            let members = value.as_table()?.iter();
            members
                .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect()
        })
        .unwrap_or_default()
    }

    pub fn table(&mut self, faults: &mut Vec<Fault>, word: &'static str) -> Option<&'t Table> {
        self.of_kind(faults, word, "a table", Value::as_table)
    }

    /// `[[word]]`
    pub fn tables(&mut self, faults: &mut Vec<Fault>, word: &'static str) -> Vec<&'t Table> {
        self.of_kind(faults, word, "tables, each under its own [[…]]", |value| {
            value.as_array()?.iter().map(Value::as_table).collect()
        })
        .unwrap_or_default()
    }

    /// The word must be there.
    pub fn required(&self, faults: &mut Vec<Fault>, word: &str, example: &str) {
        if !self.table.contains_key(word) {
            faults.push(Fault::new(
                self.place(word),
                "required",
                format!("this word is needed, for example {word} = {example}"),
            ));
        }
    }

    /// What was never asked for is not understood.
    pub fn end(self, faults: &mut Vec<Fault>) {
        for word in self
            .table
            .keys()
            .filter(|word| !self.asked.contains(&word.as_str()))
        {
            let message = match nearest(word, self.asked.iter().copied()) {
                Some(near) => format!("unknown word; did you mean {near}?"),
                None => format!("unknown word; known here: {}", self.asked.join(", ")),
            };
            faults.push(Fault::new(self.place(word), "unknown_word", message));
        }
    }
}

/// `None` for what is no time, or longer than a year.
pub fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..split].parse().ok()?;
    let ms = match text[split..].trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let total = number.checked_mul(ms)?;
    (1..=366 * 86_400_000)
        .contains(&total)
        .then(|| Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_table_is_told_at_once() {
        let table: Table = "nmae = 'x'\nport = 'a'\nwait = '3 weeks'\nkeep = 1"
            .parse()
            .unwrap();
        let mut faults = Vec::new();
        let mut words = Words::new(&table, "server");
        words.text(&mut faults, "name");
        words.required(&mut faults, "name", "\"x\"");
        words.number(&mut faults, "port");
        words.duration(&mut faults, "wait");
        words.end(&mut faults);
        let told: Vec<_> = faults
            .iter()
            .map(|fault| (fault.place.as_str(), fault.rule.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("server.name", "required"),
                ("server.port", "kind"),
                ("server.wait", "kind"),
                ("server.keep", "unknown_word"),
                ("server.nmae", "unknown_word"),
            ]
        );
        assert!(faults[4].message.contains("did you mean name"));
    }

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("24h"), Some(Duration::from_hours(24)));
        for wrong in ["", "5", "h", "0s", "-1s", "1y", "99999999999999999999s", "400d"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
