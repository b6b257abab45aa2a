//! What an expression may be at most, looked at before it is parsed: the parser and the interpreter both
//! recurse, so depth has to be bounded by a scan that does not.

use crate::fault::Fault;

/// Characters in one expression.
pub const MAX_CHARS: usize = 2_000;
/// Names, literals and operators in one expression.
pub const MAX_NODES: usize = 200;
/// Brackets inside brackets.
pub const MAX_NESTING: usize = 20;
/// Operators, calls and member accesses inside one another.
pub const MAX_DEPTH: usize = 64;
/// Bytes of record one evaluation may look at, each look counted.
pub const MAX_READ_BYTES: usize = 32 << 20;

/// `line 2, column 5` of the character at `offset`.
pub fn place(text: &str, offset: usize) -> String {
    let (mut line, mut column) = (1, 1);
    for character in text.chars().take(offset) {
        if character == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    format!("line {line}, column {column}")
}

/// The fault of an expression beyond a limit.
pub fn check(text: &str) -> Result<(), Fault> {
    let characters: Vec<char> = text.chars().take(MAX_CHARS + 1).collect();
    let refuse = |offset: usize, message: String| Err(Fault::new(place(text, offset), "expression", message));
    if characters.len() > MAX_CHARS {
        return refuse(
            MAX_CHARS,
            format!("longer than {MAX_CHARS} characters: say it more briefly"),
        );
    }
    if characters.iter().all(|character| character.is_whitespace()) {
        return refuse(
            0,
            "empty: write a condition, for example record.Status == 'A'".to_owned(),
        );
    }
    let (mut at, mut nodes, mut nesting) = (0, 0, 0usize);
    while at < characters.len() {
        let start = at;
        match characters[at] {
            character if character.is_whitespace() => at += 1,
            '/' if characters.get(at + 1) == Some(&'/') => {
                while characters.get(at).is_some_and(|character| *character != '\n') {
                    at += 1;
                }
            }
            '\'' | '"' => {
                at = string_end(&characters, at, is_raw(&characters, at));
                nodes += 1;
            }
            '(' | '[' | '{' => {
                nesting += 1;
                if nesting > MAX_NESTING {
                    return refuse(
                        at,
                        format!("brackets nested deeper than {MAX_NESTING}: flatten the condition"),
                    );
                }
                at += 1;
            }
            ')' | ']' | '}' => {
                nesting = nesting.saturating_sub(1);
                at += 1;
            }
            '.' | ',' | ':' => at += 1,
            character if character == '_' || character.is_alphanumeric() => {
                while characters
                    .get(at)
                    .is_some_and(|next| *next == '_' || next.is_alphanumeric())
                {
                    at += 1;
                }
                // A string's prefix (r'…') belongs to the string.
                nodes += usize::from(!matches!(characters.get(at), Some('\'' | '"')));
            }
            '&' | '|' | '=' | '<' | '>' | '!' => {
                at += 1 + usize::from(matches!(characters.get(at + 1), Some('&' | '|' | '=')));
                nodes += 1;
            }
            _ => {
                at += 1;
                nodes += 1;
            }
        }
        if nodes > MAX_NODES {
            return refuse(
                start,
                format!("more than {MAX_NODES} names, values and operators: split or shorten it"),
            );
        }
    }
    Ok(())
}

/// Whether the quote at `at` has an `r` in its prefix.
fn is_raw(characters: &[char], at: usize) -> bool {
    characters[..at]
        .iter()
        .rev()
        .take_while(|character| character.is_alphabetic())
        .any(|c| matches!(c, 'r' | 'R'))
}

/// Position after the string that opens at `at`; an unclosed one ends with the text (the parser says so).
fn string_end(characters: &[char], at: usize, raw: bool) -> usize {
    let quote = characters[at];
    let triple = characters.get(at + 1) == Some(&quote) && characters.get(at + 2) == Some(&quote);
    let mut at = at + if triple { 3 } else { 1 };
    while at < characters.len() {
        if characters[at] == '\\' && !raw {
            at += 2;
        } else if characters[at] == quote && !triple {
            return at + 1;
        } else if characters[at] == quote
            && characters.get(at + 1) == Some(&quote)
            && characters.get(at + 2) == Some(&quote)
        {
            return at + 3;
        } else {
            at += 1;
        }
    }
    characters.len()
}
