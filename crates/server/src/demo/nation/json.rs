//! JSON objects written straight into a byte buffer: a nation is tens of millions of values.

use std::io::Write as _;

use super::calendar::Day;

/// One JSON object being written. Closed by [`Fields::end`].
pub(super) struct Fields<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.out.push(b'"');
        escape(value, self.out);
        self.out.push(b'"');
    }

    /// Digits and other bytes that need no escape.
    pub(super) fn code(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.out.push(b'"');
        self.out.extend_from_slice(value);
        self.out.push(b'"');
    }

    pub(super) fn int(&mut self, name: &str, value: i64) {
        self.name(name);
        number(value, self.out);
    }

    /// A decimal of two places, without trailing zeros.
    pub(super) fn cents(&mut self, name: &str, cents: i64) {
        self.name(name);
        number(cents / 100, self.out);
        let rest = cents % 100;
        if rest != 0 {
            self.out.extend_from_slice(&[b'.', b'0' + (rest / 10) as u8]);
            if rest % 10 != 0 {
                self.out.push(b'0' + (rest % 10) as u8);
            }
        }
    }

    pub(super) fn flag(&mut self, name: &str, value: bool) {
        self.name(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// `YYYY-MM-DD`; nothing at all for [`Day::NONE`].
    pub(super) fn date(&mut self, name: &str, day: Day) {
        if day.is_none() {
            return;
        }
        self.name(name);
        self.out.push(b'"');
        day.write(self.out);
        self.out.push(b'"');
    }

    /// A GeoJSON point; coordinates in millionths of a degree, longitude first.
    pub(super) fn point(&mut self, name: &str, longitude: i64, latitude: i64) {
        self.object(name, |point| {
            point.text("type", "Point");
            point.name("coordinates");
            point.out.push(b'[');
            micro(longitude, point.out);
            point.out.push(b',');
            micro(latitude, point.out);
            point.out.push(b']');
        });
    }

    pub(super) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Fields<'_>)) {
        self.name(name);
        let mut inner = Fields::begin(self.out);
        fill(&mut inner);
        inner.end();
    }

    /// A list of objects; left out when there is none.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Fields<'_>, T),
    ) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return;
        }
        self.name(name);
        self.out.push(b'[');
        while let Some(item) = items.next() {
            let mut inner = Fields::begin(self.out);
            fill(&mut inner, item);
            inner.end();
            if items.peek().is_some() {
                self.out.push(b',');
            }
        }
        self.out.push(b']');
    }

    fn name(&mut self, name: &str) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

fn number(value: i64, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
}

fn micro(value: i64, out: &mut Vec<u8>) {
    let text = format!("{}.{:06}", value / 1_000_000, value % 1_000_000);
    out.extend_from_slice(text.trim_end_matches('0').trim_end_matches('.').as_bytes());
}

/// The stock holds no control characters; quotation marks and backslashes are all there can be to escape.
fn escape(value: &str, out: &mut Vec<u8>) {
    for byte in value.bytes() {
        if byte == b'"' || byte == b'\\' {
            out.push(b'\\');
        }
        out.push(byte);
    }
}
