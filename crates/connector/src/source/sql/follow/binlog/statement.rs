//! Statements in a log of rows: DDL, the ends of transactions, and what was logged as a statement.

/// What a statement means for whoever follows tables.
#[derive(Debug, PartialEq, Eq)]
pub enum Statement {
    /// It changes no rows.
    Nothing,
    /// It may change these rows in a way that no row event tells, if it names one of their tables.
    Names(Vec<String>),
    /// It may change any rows.
    Any,
    /// What was prepared under this id is there now.
    Committed(String),
}

impl Statement {
    pub fn read(text: &str) -> Self {
        if text.contains(char::REPLACEMENT_CHARACTER) {
            // In another character set: the name of a table may not be read.
            return Self::Any;
        }
        let mut words = words(without_comments(text));
        // `/*!40000 …`: for servers from that version on.
        if words
            .first()
            .is_some_and(|word| word.chars().all(|c| c.is_ascii_digit()))
        {
            words.remove(0);
        }
        let word = |at: usize| words.get(at).map(String::as_str).unwrap_or_default();
        match word(0) {
            "" | "begin" | "commit" | "rollback" | "savepoint" | "release" | "grant" | "revoke" | "flush" => {
                Self::Nothing
            }
            "xa" if word(1) == "commit" => Self::Committed(words[2..].join(" ")),
            "xa" => Self::Nothing,
            "create" | "alter" | "drop" | "truncate" | "rename" | "analyze" | "optimize" | "repair" => {
                Self::Names(words)
            }
            // Logged as a statement, whatever the server's own setting is; or not understood.
            _ => Self::Any,
        }
    }
}

/// Without the comments before it. Servers also put such in the place of events that they think a reader does not know.
fn without_comments(text: &str) -> &str {
    let text = text.trim_start();
    let rest = if let Some(block) = text
        .strip_prefix("/*")
        .filter(|rest| !rest.starts_with(['!', 'M']))
    {
        block.split_once("*/").map(|(_, rest)| rest)
    } else if text.starts_with('#') || text.starts_with("--") {
        Some(text.split_once('\n').map_or("", |(_, rest)| rest))
    } else {
        None
    };
    rest.map_or(text, without_comments)
}

/// Does a statement of these words name a table?
pub fn names(statement: &[String], table: &str) -> bool {
    words(table).iter().all(|part| statement.contains(part))
}

/// The id that `XA COMMIT` will name, of the event that says what was prepared: one phase or two, format, lengths of both parts, both
/// parts. `None`: it is committed with this event.
pub fn prepared(body: &[u8]) -> Option<String> {
    let (phases, rest) = body.split_first()?;
    let number = |at: usize| {
        let bytes = rest.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes))
    };
    let (format, first, second) = (number(0)?, number(4)? as usize, number(8)? as usize);
    let data = rest.get(12..)?;
    let parts = [data.get(..first)?, data.get(first..first.checked_add(second)?)?];
    let mut id = String::new();
    for part in parts {
        id.push_str("x ");
        if !part.is_empty() {
            id.extend(part.iter().map(|byte| format!("{byte:02x}")));
            id.push(' ');
        }
    }
    (*phases == 0).then(|| format!("{id}{format}"))
}

/// Without case, quotes and signs.
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ddl_names_its_tables() {
        for (text, table) in [
            ("TRUNCATE `in`", "in"),
            ("ALTER TABLE register.in ADD x int", "in"),
            ("# clean up\ntruncate orders", "orders"),
            (
                "-- Release 4.2\n/* commit 12 */ alter table orders add g int first",
                "orders",
            ),
            ("/*!40000 ALTER TABLE `in` DISABLE KEYS */", "in"),
            ("alter table `Pasūtījumu rindas` add x int", "Pasūtījumu rindas"),
            ("RENAME TABLE orders TO old, new TO orders", "orders"),
        ] {
            let Statement::Names(words) = Statement::read(text) else {
                panic!("{text}");
            };
            assert!(names(&words, table), "{text}");
            assert!(
                !names(&words, "inner") && !names(&words, "orders rindas"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_ddl_may_change_any_row() {
        for text in [
            "INSERT INTO a_view VALUES (1)",
            "CALL change_all()",
            "SELECT change_all()",
            "/* by a tool */ DELETE FROM x",
            "TRUNCATE r\u{fffd}kini",
        ] {
            assert_eq!(Statement::read(text), Statement::Any, "{text}");
        }
        for text in [
            "",
            "BEGIN",
            "COMMIT",
            "SAVEPOINT `in`",
            "XA ROLLBACK X'61',X'',1",
            "XA END X'61',X'',1",
            "# Dummy event replacing event type 160 that slave cannot handle.",
        ] {
            assert_eq!(Statement::read(text), Statement::Nothing, "{text}");
        }
    }

    #[test]
    fn what_was_prepared_is_known_when_it_is_committed() {
        let event = |phases: u8, format: u32, first: &[u8], second: &[u8]| {
            let mut body = vec![phases];
            for number in [format, first.len() as u32, second.len() as u32] {
                body.extend_from_slice(&number.to_le_bytes());
            }
            [body.as_slice(), first, second].concat()
        };
        for (text, body) in [
            ("XA COMMIT X'61',X'',1", event(0, 1, b"a", b"")),
            ("XA COMMIT X'61ff',X'0a',7", event(0, 7, b"a\xff", b"\n")),
        ] {
            assert_eq!(
                Some(Statement::read(text)),
                prepared(&body).map(Statement::Committed)
            );
        }
        assert_eq!(prepared(&event(1, 1, b"a", b"")), None);
        assert_eq!(prepared(&event(0, 1, b"a", b"")[..10]), None);
        assert_eq!(prepared(&[]), None);
    }
}
