//! Walking over JSON text: the tokens that every reader of this crate is made of.

use std::borrow::Cow;

use crate::value::tree::{MAX_DEPTH, Tree};

/// The text is not JSON (or too deep): what is wrong, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken(pub(super) &'static str);

/// Position in a JSON text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    text: &'a str,
    pub(super) at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The next byte that is not space; 0 at the end.
    pub(super) fn peek(&mut self) -> u8 {
        while let Some(byte) = self.bytes().get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return *byte;
            }
            self.at += 1;
        }
        0
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8, message: &'static str) -> Result<(), Broken> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(Broken(message))
        }
    }

    /// Takes the word at this place, if it stands here.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = self.bytes()[self.at..].starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    pub(super) fn end(&mut self) -> Result<(), Broken> {
        if self.peek() == 0 && self.at >= self.text.len() {
            Ok(())
        } else {
            Err(Broken("something follows the JSON value"))
        }
    }

    /// `null`, `""`, `[]` and `{}` are no value. Takes it if one stands here.
    pub(super) fn nothing(&mut self) -> bool {
        match self.peek() {
            b'n' => self.word("null"),
            b'"' => self.word("\"\""),
            open @ (b'[' | b'{') => {
                let before = self.at;
                self.at += 1;
                let empty = self.eat(if open == b'[' { b']' } else { b'}' });
                if !empty {
                    self.at = before;
                }
                empty
            }
            _ => false,
        }
    }

    /// A JSON number, as written.
    pub(super) fn number(&mut self) -> Result<&'a str, Broken> {
        const BROKEN: Broken = Broken("a number is not written as JSON numbers are");
        let start = self.at;
        self.word("-");
        let whole = self.digits();
        if whole == 0 || (whole > 1 && self.bytes()[self.at - whole] == b'0') {
            return Err(BROKEN);
        }
        if self.word(".") && self.digits() == 0 {
            return Err(BROKEN);
        }
        if self.word("e") || self.word("E") {
            let _sign = self.word("+") || self.word("-");
            if self.digits() == 0 {
                return Err(BROKEN);
            }
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> usize {
        let count = self.bytes()[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.at += count;
        count
    }

    /// A JSON string; borrowed when it has no escapes. The opening quote stands here.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Broken> {
        self.at += 1;
        let start = self.at;
        self.plain()?;
        if self.bytes()[self.at] == b'"' {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        let mut text = self.text[start..self.at].to_owned();
        loop {
            if self.bytes()[self.at] == b'"' {
                self.at += 1;
                return Ok(Cow::Owned(text));
            }
            self.at += 1;
            text.push(self.escape()?);
            let from = self.at;
            self.plain()?;
            text.push_str(&self.text[from..self.at]);
        }
    }

    /// Moves to the next quote or backslash.
    fn plain(&mut self) -> Result<(), Broken> {
        let rest = &self.bytes()[self.at..];
        match rest
            .iter()
            .position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\')
        {
            Some(found) if rest[found] >= 0x20 => {
                self.at += found;
                Ok(())
            }
            Some(_) => Err(Broken("a control character stands unescaped in a string")),
            None => Err(Broken("a string does not end")),
        }
    }

    fn escape(&mut self) -> Result<char, Broken> {
        let byte = self.bytes().get(self.at).copied().unwrap_or(0);
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => byte as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(Broken("unknown escape in a string")),
        })
    }

    fn unicode(&mut self) -> Result<char, Broken> {
        const LONE: Broken = Broken("half of a surrogate pair in a string");
        let first = self.hex4()?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first).ok_or(LONE);
        }
        if first >= 0xDC00 || !self.word("\\u") {
            return Err(LONE);
        }
        let second = self.hex4()?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(LONE);
        }
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(LONE)
    }

    fn hex4(&mut self) -> Result<u32, Broken> {
        const BROKEN: Broken = Broken("\\u needs four hex digits");
        let digits = self.bytes().get(self.at..self.at + 4).ok_or(BROKEN)?;
        self.at += 4;
        digits
            .iter()
            .try_fold(0, |sum, digit| {
                (*digit as char).to_digit(16).map(|nibble| sum * 16 + nibble)
            })
            .ok_or(BROKEN)
    }

    /// Passes over one value of any kind.
    pub(super) fn skip(&mut self) -> Result<(), Broken> {
        self.tree().map(|_| ())
    }

    /// One value of any kind. Texts and names in NFC; a repeated name is broken.
    pub(super) fn tree(&mut self) -> Result<Tree, Broken> {
        self.tree_at(MAX_DEPTH)
    }

    fn tree_at(&mut self, depth: usize) -> Result<Tree, Broken> {
        let depth = depth
            .checked_sub(1)
            .ok_or(Broken("nested more than 32 levels deep"))?;
        match self.peek() {
            b'"' => self.normal_string().map(Tree::Text),
            b'[' => {
                self.at += 1;
                let mut list = Vec::new();
                if self.eat(b']') {
                    return Ok(Tree::List(list));
                }
                loop {
                    list.push(self.tree_at(depth)?);
                    if self.eat(b']') {
                        return Ok(Tree::List(list));
                    }
                    self.expect(b',', "expected , or ] in a list")?;
                }
            }
            b'{' => {
                self.at += 1;
                self.tree_members(depth)
            }
            b't' if self.word("true") => Ok(Tree::Bool(true)),
            b'f' if self.word("false") => Ok(Tree::Bool(false)),
            b'n' if self.word("null") => Ok(Tree::Null),
            b'-' | b'0'..=b'9' => {
                let number: f64 = self.number()?.parse().unwrap_or(f64::INFINITY);
                if number.is_finite() {
                    Ok(Tree::Number(number))
                } else {
                    Err(Broken("a number is larger than a double can hold"))
                }
            }
            _ => Err(Broken("expected a JSON value")),
        }
    }

    fn tree_members(&mut self, depth: usize) -> Result<Tree, Broken> {
        let mut members: Vec<(String, Tree)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        if self.eat(b'}') {
            return Ok(Tree::Object(members));
        }
        loop {
            if self.peek() != b'"' {
                return Err(Broken("expected a member name in quotes"));
            }
            let name = self.normal_string()?;
            self.expect(b':', "expected : after a member name")?;
            if !names.insert(name.clone()) {
                return Err(Broken("an object has the same member twice"));
            }
            members.push((name, self.tree_at(depth)?));
            if self.eat(b'}') {
                return Ok(Tree::Object(members));
            }
            self.expect(b',', "expected , or } in an object")?;
        }
    }

    fn normal_string(&mut self) -> Result<String, Broken> {
        self.string().map(|text| crate::value::nfc(&text).into_owned())
    }
}

/// Elements of a canonical list of values, as raw JSON.
pub(crate) fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let inner = list.get(1..list.len().saturating_sub(1)).unwrap_or_default();
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    inner.split(move |byte| {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            return false;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => return depth == 0,
            _ => {}
        }
        false
    })
}

/// The text of a canonical JSON string; other values as they stand.
pub(crate) fn text_of(json: &[u8]) -> String {
    let text = String::from_utf8_lossy(json);
    if !text.starts_with('"') {
        return text.into_owned();
    }
    let mut scan = Scan::new(&text);
    scan.string().map(Cow::into_owned).unwrap_or_default()
}
