//! Messages of the logical replication stream, protocol version 1.
//! <https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html>

/// One message; tuples only as far as they are needed.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    Begin {
        xid: u32,
    },
    Commit {
        end: u64,
        at_us: i64,
    },
    Relation(Relation),
    Change {
        relation: u32,
        /// Of the old row only the columns of the replica identity are told.
        is_key: bool,
        old: Option<Vec<Datum>>,
        new: Option<Vec<Datum>>,
    },
    Truncate {
        relations: Vec<u32>,
    },
    /// Origin, type, logical message: nothing of ours.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    pub id: u32,
    /// Name and type.
    pub columns: Vec<(String, u32)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datum {
    Null,
    /// A long value that did not change is not sent.
    Unchanged,
    Text(String),
    /// A database without a character set.
    NotUtf8,
}

struct Reader<'r>(&'r [u8]);

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }
    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }
    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }
    fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_be_bytes)
    }
    fn text(&mut self) -> Option<String> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = String::from_utf8(self.take(end)?.to_vec()).ok()?;
        self.u8()?;
        Some(text)
    }
    fn tuple(&mut self) -> Option<Vec<Datum>> {
        let count = self.u16()?;
        (0..count)
            .map(|_| match self.u8()? {
                b'n' => Some(Datum::Null),
                b'u' => Some(Datum::Unchanged),
                b't' => {
                    let length = self.u32()? as usize;
                    let text = String::from_utf8(self.take(length)?.to_vec());
                    Some(text.map_or(Datum::NotUtf8, Datum::Text))
                }
                _ => None,
            })
            .collect()
    }
}

/// Microseconds between 1970 and 2000, where PostgreSQL begins to count.
const EPOCH_US: i64 = 946_684_800_000_000;

/// `None` = not a message of protocol version 1.
pub fn read(bytes: &[u8]) -> Option<Message> {
    let mut reader = Reader(bytes);
    let kind = reader.u8()?;
    Some(match kind {
        b'B' => {
            reader.take(16)?;
            Message::Begin { xid: reader.u32()? }
        }
        b'C' => {
            reader.take(9)?;
            Message::Commit {
                end: reader.u64()?,
                at_us: (reader.u64()? as i64).checked_add(EPOCH_US)?,
            }
        }
        b'R' => {
            let id = reader.u32()?;
            // Schema and name: the number says which table it is.
            reader.text()?;
            reader.text()?;
            reader.u8()?;
            let count = reader.u16()?;
            let columns = (0..count)
                .map(|_| {
                    reader.u8()?;
                    let name = reader.text()?;
                    let ty = reader.u32()?;
                    reader.u32()?;
                    Some((name, ty))
                })
                .collect::<Option<_>>()?;
            Message::Relation(Relation { id, columns })
        }
        b'I' | b'U' | b'D' => {
            let relation = reader.u32()?;
            let (mut old, mut new, mut is_key) = (None, None, false);
            while !reader.0.is_empty() {
                match reader.u8()? {
                    kind @ (b'K' | b'O') => {
                        is_key = kind == b'K';
                        old = Some(reader.tuple()?);
                    }
                    b'N' => new = Some(reader.tuple()?),
                    _ => return None,
                }
            }
            Message::Change {
                relation,
                is_key,
                old,
                new,
            }
        }
        b'T' => {
            let count = reader.u32()?;
            reader.u8()?;
            // Not more than the bytes that follow can name.
            let relations = (0..count).map(|_| reader.u32()).collect::<Option<_>>()?;
            Message::Truncate { relations }
        }
        b'O' | b'Y' | b'M' => Message::Other,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_are_read() {
        let mut begin = vec![b'B'];
        begin.extend([0; 16]);
        begin.extend(7u32.to_be_bytes());
        assert_eq!(read(&begin), Some(Message::Begin { xid: 7 }));
        let mut update = vec![b'U'];
        update.extend(9u32.to_be_bytes());
        update.extend([
            b'K', 0, 1, b't', 0, 0, 0, 1, b'a', b'N', 0, 3, b't', 0, 0, 0, 2, b'b', b'c', b'u', b'n',
        ]);
        let text = |text: &str| Datum::Text(text.to_owned());
        assert_eq!(
            read(&update),
            Some(Message::Change {
                relation: 9,
                is_key: true,
                old: Some(vec![text("a")]),
                new: Some(vec![text("bc"), Datum::Unchanged, Datum::Null]),
            })
        );
        assert_eq!(read(&update[..20]), None, "cut off");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
