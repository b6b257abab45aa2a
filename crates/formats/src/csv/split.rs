//! The cells of one row.

use std::borrow::Cow;

/// Splits a row without its line end. Puts at most `most` cells into `cells` and returns how many there are; an error
/// says what is wrong with the quotes. `quoted` = a quote opens some cell of the row.
pub(super) fn split<'a>(
    text: &'a str,
    delimiter: u8,
    quoted: bool,
    most: usize,
    cells: &mut Vec<Cow<'a, str>>,
) -> Result<usize, &'static str> {
    let mut count = 0;
    let mut push = |cell| {
        if count < most {
            cells.push(cell);
        }
        count += 1;
    };
    let mut start = 0;
    if !quoted {
        for end in memchr::memchr_iter(delimiter, text.as_bytes()) {
            push(Cow::Borrowed(&text[start..end]));
            start = end + 1;
        }
        push(Cow::Borrowed(&text[start..]));
        return Ok(count);
    }
    loop {
        let rest = &text[start..];
        let (cell, length) = match rest.strip_prefix('"') {
            Some(inside) => unquote(inside, delimiter).map(|(cell, length)| (cell, length + 1))?,
            None => {
                let length = memchr::memchr(delimiter, rest.as_bytes()).unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..length]), length)
            }
        };
        push(cell);
        start += length;
        if start >= text.len() {
            return Ok(count);
        }
        start += 1;
    }
}

/// The cell that `inside` begins with, after its opening quote, and how many bytes it takes with its closing quote.
fn unquote(inside: &str, delimiter: u8) -> Result<(Cow<'_, str>, usize), &'static str> {
    let bytes = inside.as_bytes();
    let mut at = 0;
    let mut doubled = false;
    loop {
        let Some(found) = memchr::memchr(b'"', &bytes[at..]) else {
            return Err(
                "a quoted cell that begins in this row is never closed: close it, and write a quote inside it twice",
            );
        };
        at += found;
        match bytes.get(at + 1) {
            Some(b'"') => {
                doubled = true;
                at += 2;
            }
            next if next.is_none_or(|byte| *byte == delimiter) => {
                let cell = &inside[..at];
                return Ok((
                    if doubled {
                        Cow::Owned(cell.replace("\"\"", "\""))
                    } else {
                        Cow::Borrowed(cell)
                    },
                    at + 1,
                ));
            }
            _ => return Err("something follows a closing quote: write a quote inside a quoted cell twice"),
        }
    }
}
