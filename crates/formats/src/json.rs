//! A strict JSON reader that only looks: it checks one value and says where it ends, and builds nothing.
//!
//! Own code because three things are wanted at once: messages that never hold a value, a bound on depth, and
//! member names that repeat found in the same pass.

use std::borrow::Cow;

/// Why a text is not one JSON value: rule, byte offset in the text, and what is wrong there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken {
    pub rule: &'static str,
    pub at: usize,
    pub what: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    Literal,
}

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pub at: usize,
    max_depth: usize,
    /// Member names of the objects that are open, the innermost last.
    names: Vec<Cow<'a, [u8]>>,
}

/// Up to this many members are compared pair by pair; more are sorted.
const FEW_MEMBERS: usize = 24;

impl<'a> Reader<'a> {
    /// `text` must be valid UTF-8; this is not looked at again.
    pub fn new(text: &'a [u8], max_depth: usize) -> Self {
        Self {
            bytes: text,
            at: 0,
            max_depth,
            names: Vec::new(),
        }
    }

    pub fn fail<T>(&self, what: &'static str) -> Result<T, Broken> {
        Err(Broken {
            rule: "json",
            at: self.at,
            what,
        })
    }

    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    pub fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Broken> {
        if self.peek() != Some(byte) {
            return self.fail(what);
        }
        self.at += 1;
        Ok(())
    }

    /// Nothing but white space may follow.
    pub fn end(&mut self) -> Result<(), Broken> {
        self.skip_space();
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            self.fail("something follows the end of the value")
        }
    }

    /// Passes over one value that begins here; gives its kind and its text.
    pub fn value(&mut self) -> Result<(Kind, &'a [u8]), Broken> {
        let start = self.at;
        let kind = self.value_at(0)?;
        Ok((kind, &self.bytes[start..self.at]))
    }

    fn value_at(&mut self, depth: usize) -> Result<Kind, Broken> {
        match self.peek() {
            Some(b'{') => self.nested(depth, Self::object).map(|()| Kind::Object),
            Some(b'[') => self.nested(depth, Self::array).map(|()| Kind::Array),
            Some(b'"') => self.string().map(|_| Kind::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| Kind::Number),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(_) => self.fail("a value must stand here"),
            None => self.fail("it is cut off"),
        }
    }

    fn nested(
        &mut self,
        depth: usize,
        inside: fn(&mut Self, usize) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        if depth >= self.max_depth {
            return Err(Broken {
                rule: "depth",
                at: self.at,
                what: "objects and arrays are nested too deeply",
            });
        }
        self.at += 1;
        self.skip_space();
        inside(self, depth + 1)
    }

    fn object(&mut self, depth: usize) -> Result<(), Broken> {
        let own = self.names.len();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let name = self.name()?;
            self.names.push(name);
            self.value_at(depth)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                Some(_) => return self.fail("`,` or `}` must stand here"),
                None => return self.fail("it is cut off"),
            }
            self.skip_space();
        }
        if repeats(&mut self.names[own..]) {
            return Err(Broken {
                rule: "duplicate_member",
                at: self.at,
                what: "a member of the object that ends here appears twice",
            });
        }
        self.names.truncate(own);
        self.at += 1;
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Broken> {
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value_at(depth)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                Some(_) => return self.fail("`,` or `]` must stand here"),
                None => return self.fail("it is cut off"),
            }
            self.skip_space();
        }
        self.at += 1;
        Ok(())
    }

    /// A member name, its colon and the space after it.
    pub fn name(&mut self) -> Result<Cow<'a, [u8]>, Broken> {
        if self.peek() != Some(b'"') {
            return self.fail("a member name in double quotes must stand here");
        }
        let name = self.string()?;
        self.skip_space();
        self.expect(b':', "`:` must stand here")?;
        self.skip_space();
        Ok(name)
    }

    /// A string without its quotes, escapes undone.
    pub fn string(&mut self) -> Result<Cow<'a, [u8]>, Broken> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(0..0x20) => return self.fail("a control character in a string must be escaped"),
                Some(_) => self.at += 1,
                None => return self.fail("it is cut off inside a string"),
            }
        }
        let inside = &self.bytes[start..self.at];
        self.at += 1;
        Ok(if escaped {
            Cow::Owned(unescape(inside))
        } else {
            Cow::Borrowed(inside)
        })
    }

    fn escape(&mut self) -> Result<(), Broken> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let Some(unit) = hex4(&self.bytes[self.at + 2..]) else {
                    return self.fail("`\\u` needs four hex digits");
                };
                match unit {
                    0xD800..0xDC00 => {
                        let second = self
                            .bytes
                            .get(self.at + 6..)
                            .filter(|rest| rest.starts_with(b"\\u"));
                        match second.and_then(|rest| hex4(&rest[2..])) {
                            Some(0xDC00..0xE000) => self.at += 12,
                            _ => return self.fail("half of a surrogate pair"),
                        }
                    }
                    0xDC00..0xE000 => return self.fail("half of a surrogate pair"),
                    _ => self.at += 6,
                }
            }
            Some(_) => return self.fail("an unknown escape"),
            None => return self.fail("it is cut off inside a string"),
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Broken> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return self.fail("a digit must stand here");
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Broken> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return self.fail("a number must not begin with 0");
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn literal(&mut self, word: &'static [u8]) -> Result<Kind, Broken> {
        if !self.bytes[self.at..].starts_with(word) {
            return self.fail("a value must stand here");
        }
        self.at += word.len();
        Ok(Kind::Literal)
    }
}

fn repeats(names: &mut [Cow<'_, [u8]>]) -> bool {
    if names.len() > FEW_MEMBERS {
        names.sort_unstable();
        return names.windows(2).any(|pair| pair[0] == pair[1]);
    }
    names
        .iter()
        .enumerate()
        .any(|(at, name)| names[..at].iter().any(|earlier| earlier == name))
}

fn hex4(digits: &[u8]) -> Option<u32> {
    let digits = digits.get(..4)?;
    digits.iter().try_fold(0, |value, digit| {
        Some(value * 16 + char::from(*digit).to_digit(16)?)
    })
}

/// Undoes escapes that were found valid.
fn unescape(inside: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let (character, length) = unescape_one(&rest[at..]);
        let mut utf8 = [0; 4];
        out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
        rest = &rest[(at + length).min(rest.len())..];
    }
    out.extend_from_slice(rest);
    out
}

fn unescape_one(escape: &[u8]) -> (char, usize) {
    let plain = match escape.get(1).copied().unwrap_or(b'\\') {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = |from: usize| escape.get(from..).and_then(hex4).unwrap_or(0xFFFD);
            let first = unit(2);
            let (code, length) = match first {
                0xD800..0xDC00 => (
                    0x10000 + ((first - 0xD800) << 10) + (unit(8).wrapping_sub(0xDC00) & 0x3FF),
                    12,
                ),
                _ => (first, 6),
            };
            return (char::from_u32(code).unwrap_or('\u{FFFD}'), length);
        }
        other => char::from(other),
    };
    (plain, 2)
}

#[cfg(test)]
mod tests;
