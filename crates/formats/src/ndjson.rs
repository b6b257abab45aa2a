//! NDJSON: one operation a line.

use dagr_model::fault::{Fault, nearest};

use crate::json::{Broken, Kind, Reader};
use crate::partial::{Partial, Whole};
use crate::{Limits, Row, Sink, Unreadable};

const WRITE: &str =
    r#"write {"op":"upsert","record":{…}}, {"op":"delete","key":{…}} or {"op":"erase","key":{…}}"#;

pub(crate) struct NdJson {
    partial: Partial,
    limits: Limits,
    /// Number of the line that begins or is under way, from 1.
    line: u64,
}

impl NdJson {
    pub fn new(limits: Limits) -> Self {
        Self {
            partial: Partial::new(limits.max_row_bytes),
            limits,
            line: 1,
        }
    }

    pub fn push(&mut self, mut text: &[u8], sink: &mut dyn Sink) -> Result<(), Unreadable> {
        while let Some(end) = memchr::memchr(b'\n', text) {
            self.row(&text[..end], sink)?;
            text = &text[end + 1..];
        }
        if !text.is_empty() {
            self.partial.add(text);
        }
        Ok(())
    }

    pub fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Unreadable> {
        if self.partial.is_empty() {
            Ok(())
        } else {
            self.row(&[], sink)
        }
    }

    fn row(&mut self, last: &[u8], sink: &mut dyn Sink) -> Result<(), Unreadable> {
        let line = self.line;
        let read = match self.partial.whole(last) {
            Whole::TooLong => sink.row(Row::Bad {
                line,
                fault: too_long(format!("line {line}"), self.limits),
            }),
            Whole::Row(text) if text.iter().all(u8::is_ascii_whitespace) => Ok(()),
            Whole::Row(text) => sink.row(match operation(text, self.limits.max_depth) {
                Ok(Operation::Upsert(json)) => Row::Upsert { line, json },
                Ok(Operation::Delete(key_json)) => Row::Delete { line, key_json },
                Ok(Operation::Erase(key_json)) => Row::Erase { line, key_json },
                Err((rule, message)) => Row::Bad {
                    line,
                    fault: Fault::new(format!("line {line}"), rule, message),
                },
            }),
        };
        self.partial.clear();
        self.line += 1;
        read
    }
}

pub(crate) fn too_long(place: String, limits: Limits) -> Fault {
    Fault::new(
        place,
        "row_size",
        format!(
            "longer than {} bytes, the most one row may have",
            limits.max_row_bytes
        ),
    )
}

enum Operation<'a> {
    Upsert(&'a [u8]),
    Delete(&'a [u8]),
    Erase(&'a [u8]),
}

/// Rule and message of what is wrong with a line.
type Wrong = (&'static str, String);

#[derive(Default)]
struct Envelope<'a> {
    op: Option<(Kind, &'a [u8])>,
    record: Option<(Kind, &'a [u8])>,
    key: Option<(Kind, &'a [u8])>,
}

fn operation(line: &[u8], max_depth: usize) -> Result<Operation<'_>, Wrong> {
    if let Err(error) = simdutf8::compat::from_utf8(line) {
        return Err((
            "charset",
            format!("byte {} of the line is not UTF-8", error.valid_up_to() + 1),
        ));
    }
    let mut reader = Reader::new(line, max_depth);
    reader.skip_space();
    match reader.peek() {
        Some(b'{') => {}
        Some(b'[') => {
            return Err((
                "json",
                format!(
                    "a line is one operation: {WRITE}; an array of records is Content-Type application/json"
                ),
            ));
        }
        _ => return Err(("json", format!("the line is not a JSON object: {WRITE}"))),
    }
    let envelope = envelope(&mut reader)?;
    let (_, word) = envelope
        .op
        .ok_or_else(|| ("operation", format!("`op` is missing: {WRITE}")))?;
    match word {
        br#""upsert""# => Ok(Operation::Upsert(part(
            "record",
            envelope.record,
            "key",
            envelope.key,
        )?)),
        br#""delete""# => Ok(Operation::Delete(part(
            "key",
            envelope.key,
            "record",
            envelope.record,
        )?)),
        br#""erase""# => Ok(Operation::Erase(part(
            "key",
            envelope.key,
            "record",
            envelope.record,
        )?)),
        other => {
            let guess = std::str::from_utf8(other)
                .ok()
                .and_then(|word| nearest(word.trim_matches('"'), ["upsert", "delete", "erase"]));
            Err((
                "operation",
                match guess {
                    Some(word) => format!("unknown `op`: did you mean \"{word}\"?"),
                    None => format!("unknown `op`: {WRITE}"),
                },
            ))
        }
    }
}

fn envelope<'a>(reader: &mut Reader<'a>) -> Result<Envelope<'a>, Wrong> {
    let mut envelope = Envelope::default();
    reader.at += 1;
    reader.skip_space();
    if reader.peek() == Some(b'}') {
        reader.at += 1;
    } else {
        loop {
            let name = reader.name().map_err(wrong)?;
            let slot = match name.as_ref() {
                b"op" => &mut envelope.op,
                b"record" => &mut envelope.record,
                b"key" => &mut envelope.key,
                other => return Err(unknown_member(other)),
            };
            if slot.is_some() {
                return Err((
                    "duplicate_member",
                    "`op`, `record` or `key` appears twice in the line".to_owned(),
                ));
            }
            *slot = Some(reader.value().map_err(wrong)?);
            reader.skip_space();
            if reader.peek() == Some(b'}') {
                reader.at += 1;
                break;
            }
            reader.expect(b',', "`,` or `}` must stand here").map_err(wrong)?;
            reader.skip_space();
        }
    }
    reader.end().map_err(wrong)?;
    Ok(envelope)
}

/// The part an operation needs, which is an object, and not the part it does not take.
fn part<'a>(
    name: &str,
    wanted: Option<(Kind, &'a [u8])>,
    other_name: &str,
    other: Option<(Kind, &'a [u8])>,
) -> Result<&'a [u8], Wrong> {
    match (wanted, other) {
        (Some(_), Some(_)) => Err((
            "operation",
            format!("this operation takes no `{other_name}`: {WRITE}"),
        )),
        (None, _) => Err(("operation", format!("this operation needs `{name}`: {WRITE}"))),
        (Some((Kind::Object, json)), None) => Ok(json),
        (Some(_), None) => Err(("operation", format!("`{name}` is not an object: {WRITE}"))),
    }
}

// The name is not repeated: a line of another shape may have personal values for names.
fn unknown_member(name: &[u8]) -> Wrong {
    let guess = std::str::from_utf8(name)
        .ok()
        .and_then(|name| nearest(name, ["op", "record", "key"]));
    let message = match guess {
        Some(word) => format!("unknown member beside the operation: did you mean `{word}`?"),
        None => format!("unknown member beside the operation: {WRITE}"),
    };
    ("operation", message)
}

fn wrong(broken: Broken) -> Wrong {
    (
        broken.rule,
        format!("byte {} of the line: {}", broken.at + 1, broken.what),
    )
}
