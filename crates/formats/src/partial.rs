//! A row that began in an earlier chunk.

/// Collects the pieces of one row, up to the row limit; beyond it only the fact is kept.
pub(crate) struct Partial {
    bytes: Vec<u8>,
    max: usize,
    too_long: bool,
    seen: u64,
}

/// A whole row, or the news that it was longer than the limit.
pub(crate) enum Whole<'a> {
    Row(&'a [u8]),
    TooLong,
}

impl Partial {
    pub fn new(max: usize) -> Self {
        Self {
            bytes: Vec::new(),
            max,
            too_long: false,
            seen: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.too_long
    }

    /// Bytes of the row so far, the dropped ones included.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    pub fn add(&mut self, piece: &[u8]) {
        self.seen += piece.len() as u64;
        if self.too_long || self.bytes.len() + piece.len() > self.max {
            self.too_long = true;
            self.bytes.clear();
        } else {
            self.bytes.extend_from_slice(piece);
        }
    }

    /// Joins the last piece. Without an earlier piece the row is given as it stands in the chunk, uncopied.
    pub fn whole<'a>(&'a mut self, last: &'a [u8]) -> Whole<'a> {
        if self.is_empty() && last.len() <= self.max {
            return Whole::Row(last);
        }
        self.add(last);
        if self.too_long {
            Whole::TooLong
        } else {
            Whole::Row(&self.bytes)
        }
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.too_long = false;
        self.seen = 0;
    }
}
