//! XML, element by element: memory is that of the largest record, whatever the document's length.
//!
//! Names are local names, namespaces are passed over. A DTD is not read and nothing it declares is expanded.

mod cells;
mod element;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    io::{self, BufRead, Read},
};

use dagr_formats::charset::{Declared, sniff};
use encoding_rs::{UTF_16BE, UTF_16LE};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

pub use cells::give;
pub use element::Element;

use super::text;
use crate::{
    collect::{Collect, Given},
    error::{Error, Result},
};

/// Elements inside each other.
const DEPTH: usize = 64;
/// Bytes of one record, and of one tag, comment or text outside the records.
pub const RECORD_BYTES: usize = 8 << 20;
/// First bytes that are looked at for the declaration.
const HEAD: usize = 1 << 10;
/// Names kept of what is there besides.
const KEPT: usize = 64;
/// Names told of what is there instead.
const TOLD: usize = 8;
/// The name of text among elements.
const TEXT: &str = "text()";

/// Where an element is looked for: local names from the root.
pub type Path<'p> = [&'p str];

/// What a walk met besides the elements asked for.
#[derive(Debug, Default)]
pub struct Seen {
    /// For each path: names of what stands in the deepest element of it that holds something.
    beside: Vec<BTreeSet<String>>,
    deepest: Vec<usize>,
}

/// Reads the records at `records`, names joined by `/`; `may_be_empty`: other elements in their place are no records too.
pub fn read(
    input: &mut dyn Read,
    charset: Option<&str>,
    records: &str,
    may_be_empty: bool,
    name: &str,
    rows: &mut Collect<'_>,
) -> Result<()> {
    let path: Vec<&str> = records.split('/').collect();
    let mut given = Given::new(rows);
    let seen = walk(input, charset, name, &[&path], &mut |_, element| {
        give(&element, element.line, &mut given)
    })?;
    if seen.leads(0, &path) || (may_be_empty && seen.reaches(0, &path)) {
        return Ok(());
    }
    Err(Error::Source(format!(
        "{name}: {}",
        seen.missing(0, &path, "source.records") + seen.way_out(0, &path)
    )))
}

impl Seen {
    /// Is there a place for elements of the path? One on the way with nothing inside is; one with other things inside, which
    /// may say why there are none, is not.
    pub fn leads(&self, at: usize, path: &Path<'_>) -> bool {
        let next = path.get(self.deepest[at]);
        next.is_some_and(|next| self.beside[at].contains(*next))
    }

    /// Does the element above hold something, whatever it is?
    pub fn reaches(&self, at: usize, path: &Path<'_>) -> bool {
        path.len() > 1 && self.deepest[at] + 1 == path.len()
    }

    /// Names of what stands in the deepest element of the path.
    pub fn beside(&self, at: usize) -> &BTreeSet<String> {
        &self.beside[at]
    }

    /// Says that a path leads nowhere, and where one could go.
    pub fn missing(&self, at: usize, path: &Path<'_>, word: &str) -> String {
        let there: Vec<&str> = self.beside[at].iter().take(TOLD).map(String::as_str).collect();
        let there = there.join(", ");
        let reached = self.deepest[at];
        let wanted = path[..=reached].join("/");
        if reached == 0 {
            return format!("there is no element {wanted} ({word}); the root is {there}");
        }
        let place = path[..reached].join("/");
        format!("there is no element {wanted} ({word}); {place} has {there}")
    }

    /// What says that it is all right.
    pub fn way_out(&self, at: usize, path: &Path<'_>) -> &'static str {
        if self.reaches(at, path) {
            "; source.may_be_empty = true says that this is no records"
        } else {
            ""
        }
    }
}

/// Gives every element at one of the paths, with the path's number, in the order of the document.
pub fn walk(
    input: &mut dyn Read,
    charset: Option<&str>,
    name: &str,
    paths: &[&Path<'_>],
    found: &mut dyn FnMut(usize, Element) -> Result<()>,
) -> Result<Seen> {
    let input = decoded(input, charset).map_err(|error| Error::Source(format!("{name}: {error}")))?;
    let mut reader = Reader::from_reader(Counted::new(input));
    reader.config_mut().expand_empty_elements = true;
    let mut walk = Walk {
        reader,
        name,
        paths,
        open: Vec::new(),
        rooted: false,
        schema_instance: BTreeSet::from(["xsi".to_owned()]),
        seen: Seen {
            beside: vec![BTreeSet::new(); paths.len()],
            deepest: vec![0; paths.len()],
        },
    };
    walk.run(found)?;
    Ok(walk.seen)
}

/// UTF-8 from whatever the feed, a byte order mark or the declaration says.
fn decoded(input: &mut dyn Read, charset: Option<&str>) -> io::Result<impl BufRead> {
    let head = text::head(input, HEAD)?;
    let label = charset.map(str::to_owned).or_else(|| declared(&head));
    let declared = label
        .map(|label| text::by_label(&label))
        .transpose()
        .map_err(io::Error::other)?
        .unwrap_or_default();
    let begin = &head[..head.len().min(text::HEAD)];
    let by_head = sniff(begin, Declared::Nothing).0;
    let utf16 = [UTF_16LE, UTF_16BE];
    let is_wide = match declared {
        Declared::Nothing => false,
        Declared::Utf16 => true,
        Declared::Exactly(encoding) => utf16.contains(&encoding),
    };
    // A declaration that could be read in ASCII is not UTF-16, and one that says UTF-8 in UTF-16 was carried over.
    let fits = charset.is_some() || is_wide == utf16.contains(&by_head);
    let (encoding, mark) = sniff(begin, if fits { declared } else { Declared::Nothing });
    let rest = io::Cursor::new(head[mark..].to_vec()).chain(input);
    Ok(text::Utf8::new(rest, encoding, mark))
}

/// `encoding="…"` of the declaration, where it is written in a superset of ASCII.
fn declared(head: &[u8]) -> Option<String> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let declaration = head.strip_prefix(b"<?xml")?;
    let end = declaration.iter().position(|byte| *byte == b'>')?;
    let declaration = std::str::from_utf8(&declaration[..end]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

struct Walk<'w, R> {
    reader: Reader<Counted<R>>,
    name: &'w str,
    paths: &'w [&'w Path<'w>],
    /// Names of the elements around.
    open: Vec<String>,
    rooted: bool,
    /// Prefixes of `nil` and `type`.
    schema_instance: BTreeSet<String>,
    seen: Seen,
}

impl<R: BufRead> Walk<'_, R> {
    fn run(&mut self, found: &mut dyn FnMut(usize, Element) -> Result<()>) -> Result<()> {
        let mut buffer = Vec::new();
        loop {
            let line = self.next_line(&mut buffer);
            match self.event(&mut buffer)? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    self.enter(&name)?;
                    let wanted = self.paths.iter().position(|path| *path == self.open.as_slice());
                    let Some(path) = wanted else {
                        self.prefixes(&start)?;
                        continue;
                    };
                    let element = self.element(&start, line)?;
                    self.open.pop();
                    found(path, element)?;
                }
                Event::End(_) => {
                    self.open.pop();
                }
                Event::Text(text) if text.trim_ascii().is_empty() => {}
                Event::Text(_) if self.open.is_empty() => {
                    return Err(self.fault("text stands outside the root element: is it XML?"));
                }
                Event::Text(_) | Event::CData(_) => self.meet(TEXT),
                Event::Eof if !self.open.is_empty() => {
                    return Err(self.fault(&format!("it ends inside {}", self.open.join("/"))));
                }
                Event::Eof if !self.rooted => return Err(self.fault("it holds no element")),
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    /// The buffer is free again; the line where the next event begins.
    fn next_line(&self, buffer: &mut Vec<u8>) -> u64 {
        buffer.clear();
        self.reader.get_ref().lines + 1
    }

    fn event<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<Event<'b>> {
        self.reader.get_mut().left = RECORD_BYTES;
        self.reader
            .read_event_into(buffer)
            .map_err(|error| self.fault(&error.to_string()))
    }

    /// An error where the reader stands.
    fn fault(&self, message: &str) -> Error {
        let (line, byte) = (self.reader.get_ref().lines + 1, self.reader.buffer_position());
        Error::Source(format!(
            "{}: line {line}, byte {byte} of its text: {message}; it is not taken",
            self.name
        ))
    }

    fn enter(&mut self, name: &str) -> Result<()> {
        if self.open.is_empty() && self.rooted {
            return Err(self.fault("a second root element begins: one document is read at a time"));
        }
        self.rooted = true;
        self.meet(name);
        self.open.push(name.to_owned());
        if self.open.len() > DEPTH {
            return Err(self.fault(&format!("elements lie deeper than {DEPTH} inside each other")));
        }
        Ok(())
    }

    /// Something stands in the element that is open.
    fn meet(&mut self, name: &str) {
        let depth = self.open.len();
        for (at, path) in self.paths.iter().enumerate() {
            if path.len() > depth && path[..depth] == self.open[..] && depth >= self.seen.deepest[at] {
                if depth > self.seen.deepest[at] {
                    self.seen.deepest[at] = depth;
                    self.seen.beside[at].clear();
                }
                if self.seen.beside[at].len() < KEPT || path[depth] == name {
                    self.seen.beside[at].insert(name.to_owned());
                }
            }
        }
    }

    /// Which prefixes stand for the schema instance.
    fn prefixes(&mut self, start: &BytesStart<'_>) -> Result<()> {
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| self.fault(&error.to_string()))?;
            if let Some(prefix) = attribute.key.as_ref().strip_prefix("xmlns:")
                && attribute.value.ends_with("/XMLSchema-instance")
                && self.schema_instance.len() < DEPTH
            {
                self.schema_instance.insert(prefix.to_owned());
            }
        }
        Ok(())
    }
}

/// Counts lines, and ends a reading that takes too much for one event.
struct Counted<R> {
    inner: R,
    lines: u64,
    left: usize,
}

impl<R> Counted<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            lines: 0,
            left: RECORD_BYTES,
        }
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let length = ready.len().min(out.len());
        out[..length].copy_from_slice(&ready[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other(format!(
                "one tag, text or comment is longer than {} MiB",
                RECORD_BYTES >> 20
            )));
        }
        let ready = self.inner.fill_buf()?;
        Ok(&ready[..ready.len().min(self.left)])
    }

    fn consume(&mut self, amount: usize) {
        // What is consumed lies in the buffer: nothing is read.
        if let Ok(ready) = self.inner.fill_buf() {
            let taken = &ready[..amount.min(ready.len())];
            self.lines += memchr::memchr_iter(b'\n', taken).count() as u64;
        }
        self.left = self.left.saturating_sub(amount);
        self.inner.consume(amount);
    }
}
