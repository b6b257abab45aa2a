//! The pass before YAML: what a provider writes in a field line, and YAML would not take, is quoted.
//!
//! Lines keep their numbers, so that every later fault names the line of the text as it was handed in.

mod indentation;
mod walk;

use crate::fault::Fault;

use self::walk::{Kind, Line, Walk};

/// Words a field may carry beneath it.
pub(super) const FIELD_WORDS: &[&str] = &[
    "type",
    "required",
    "comments",
    "personal",
    "classifier",
    "unit",
    "fields",
];

/// The text as YAML accepts it, with the same number of lines.
pub(super) fn prepare(text: &str, faults: &mut Vec<Fault>) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<String> = text.split('\n').map(spaces_before).collect();
    indentation::restore(&mut lines, faults);
    quote(&lines, faults)
}

/// A page copied from a browser indents with no-break spaces; YAML counts only plain ones.
fn spaces_before(line: &str) -> String {
    let content = line.trim_start_matches([' ', '\u{a0}']);
    let indent = line[..line.len() - content.len()].chars().count();
    format!("{}{content}", " ".repeat(indent))
}

fn quote(lines: &[String], faults: &mut Vec<Fault>) -> String {
    let kinds: Vec<Line<'_>> = Walk::new(lines).collect();
    let mut out: Vec<String> = lines.to_vec();
    for at in 0..lines.len() {
        let line = &kinds[at];
        match &line.kind {
            Kind::Field { column, head, value } => {
                let dash = &lines[at][..*column];
                let rest = value_of_field(&kinds, lines, at, value, &mut out, faults);
                out[at] = format!("{dash}{}:{rest}", quoted(head));
            }
            Kind::Word {
                word: word @ ("data_description" | "comments"),
                value,
            } if needs_quotes(value) => {
                let text = folded(
                    value,
                    continuation(&kinds, lines, at, line.indent),
                    &mut out,
                    lines,
                );
                out[at] = format!("{}{word}: {}", " ".repeat(line.indent), quoted(&text));
            }
            _ => {}
        }
    }
    out.join("\n")
}

/// What follows the colon of a field line, ready for YAML: with a leading space, or nothing.
fn value_of_field(
    kinds: &[Line<'_>],
    lines: &[String],
    at: usize,
    value: &str,
    out: &mut [String],
    faults: &mut Vec<Fault>,
) -> String {
    if value.is_empty() {
        return String::new();
    }
    if left_to_yaml(value) {
        return format!(" {value}");
    }
    let more = continuation(kinds, lines, at, kinds[at].indent);
    let structure = more.clone().find(|&next| match &kinds[next].kind {
        Kind::Word { word, .. } => FIELD_WORDS.contains(word),
        Kind::Field { .. } | Kind::Item => true,
        _ => false,
    });
    if structure.is_some() {
        let message = "a field with words or fields beneath it has no description after its colon: move the \
                       description into `comments:` beneath it";
        faults.push(Fault::new(format!("line {}", at + 1), "field_line", message));
        return String::new();
    }
    let text = folded(value, more, out, lines);
    if is_quoted(&text) {
        format!(" {text}")
    } else {
        format!(" {}", quoted(&text))
    }
}

/// Lines that continue the value begun on `at`: deeper than `indent`, up to the first that is not.
fn continuation<'a>(
    kinds: &'a [Line<'a>],
    lines: &'a [String],
    at: usize,
    indent: usize,
) -> impl Iterator<Item = usize> + Clone + 'a {
    (at + 1..lines.len())
        .take_while(move |&next| lines[next].trim().is_empty() || kinds[next].indent > indent)
        .filter(move |&next| !matches!(kinds[next].kind, Kind::Blank))
}

/// Joins continuation lines with single spaces and blanks them, as YAML folds a plain scalar.
fn folded(value: &str, more: impl Iterator<Item = usize>, out: &mut [String], lines: &[String]) -> String {
    let mut text = value.to_owned();
    for next in more {
        text.push(' ');
        text.push_str(lines[next].trim());
        out[next].clear();
    }
    text
}

/// Maps, block scalars, anchors, aliases and tags are YAML's business, or YAML's to refuse.
pub(super) fn left_to_yaml(value: &str) -> bool {
    let mut chars = value.chars();
    match chars.next() {
        Some('{') => true,
        Some('|' | '>') => walk::is_block_scalar(value),
        Some('&' | '*' | '!') => chars.next().is_some_and(|next| !next.is_whitespace()),
        _ => false,
    }
}

/// A whole quoted scalar, perhaps with a comment behind it.
pub(super) fn is_quoted(value: &str) -> bool {
    walk::end_of_quotes(value).is_some_and(|end| {
        let rest = &value[end..];
        rest.trim().is_empty() || rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#')
    })
}

/// Prose that YAML would refuse for a `: ` inside it.
fn needs_quotes(value: &str) -> bool {
    let value = without_comment(value);
    !value.starts_with(['"', '\'', '{', '[', '|', '>', '&', '*', '!', '#'])
        && (value.contains(": ") || value.ends_with(':'))
}

/// Outside field lines `#` behind a space begins a comment, as everywhere in YAML.
fn without_comment(value: &str) -> &str {
    value.split_once(" #").map_or(value, |(text, _)| text).trim_end()
}

/// A YAML double-quoted scalar.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if unprintable(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Characters YAML takes only escaped, and those an editor may turn into a line break.
pub(super) fn unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}
