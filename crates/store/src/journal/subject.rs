//! Subjects, compactly: eleven digits (a personal code, a registration number) as a number, others as bytes.

use crate::codec::{Reader, put_bytes, put_varint};

/// Longest subject, in bytes.
pub const MAX_SUBJECT: usize = 64;
const DIGITS: usize = 11;
const CODES: u64 = 100_000_000_000;

/// Ordered: codes by number, then the others by bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Code(u64),
    Other(Box<[u8]>),
}

impl Subject {
    pub(super) fn new(bytes: &[u8]) -> Self {
        code(bytes).map_or_else(|| Self::Other(bytes.into()), Self::Code)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Code(code) => format!("{code:011}").into_bytes(),
            Self::Other(bytes) => bytes.to_vec(),
        }
    }

    /// Its first 64 bits in an order that never contradicts the order of subjects.
    pub(super) fn prefix(&self) -> u64 {
        match self {
            Self::Code(code) => *code,
            Self::Other(bytes) => {
                let mut head = [0; 8];
                let len = bytes.len().min(8);
                head[..len].copy_from_slice(&bytes[..len]);
                (1 << 63) | (u64::from_be_bytes(head) >> 1)
            }
        }
    }
}

fn code(bytes: &[u8]) -> Option<u64> {
    if bytes.len() != DIGITS {
        return None;
    }
    bytes.iter().try_fold(0, |code, byte| {
        byte.is_ascii_digit().then(|| code * 10 + u64::from(byte - b'0'))
    })
}

/// Subjects of one entry: count and differences of the codes, count and bytes of the others.
pub(super) fn put_list(out: &mut Vec<u8>, subjects: Vec<Vec<u8>>) {
    let mut subjects: Vec<Subject> = subjects.iter().map(|bytes| Subject::new(bytes)).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let codes = subjects.partition_point(|subject| matches!(subject, Subject::Code(_)));
    put_varint(out, codes as u64);
    let mut before = 0;
    for subject in &subjects {
        if let Subject::Code(code) = subject {
            put_varint(out, code - before);
            before = *code;
        }
    }
    put_varint(out, (subjects.len() - codes) as u64);
    for subject in &subjects {
        if let Subject::Other(bytes) = subject {
            put_bytes(out, bytes);
        }
    }
}

/// Reads a list off the front and hands on each subject. `None` = damaged.
pub(super) fn read_list(
    reader: &mut Reader<'_>,
    mut code: impl FnMut(u64),
    mut other: impl FnMut(&[u8]),
) -> Option<()> {
    let mut last = 0u64;
    for _ in 0..reader.varint()? {
        last = last.checked_add(reader.varint()?).filter(|code| *code < CODES)?;
        code(last);
    }
    for _ in 0..reader.varint()? {
        other(reader.bytes()?);
    }
    Some(())
}

/// Is `wanted` in the list at the front? Stops as early as the order allows.
pub(super) fn list_has(mut reader: Reader<'_>, wanted: &Subject) -> Option<bool> {
    let mut last = 0u64;
    for _ in 0..reader.varint()? {
        last = last.checked_add(reader.varint()?)?;
        if let Subject::Code(code) = wanted
            && last >= *code
        {
            return Some(last == *code);
        }
    }
    let Subject::Other(bytes) = wanted else {
        return Some(false);
    };
    for _ in 0..reader.varint()? {
        if reader.bytes()? == &**bytes {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn subjects() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let code = (0..CODES).prop_map(|code| format!("{code:011}").into_bytes());
        let other = proptest::collection::vec(any::<u8>(), 0..20);
        proptest::collection::vec(prop_oneof![code, other], 0..40)
    }

    proptest! {
        #[test]
        fn a_list_comes_back_sorted_and_unique(list in subjects()) {
            let mut out = Vec::new();
            put_list(&mut out, list.clone());
            let mut back = Vec::new();
            let mut others = Vec::new();
            read_list(&mut Reader(&out), |code| back.push(Subject::Code(code).to_bytes()), |other| others.push(other.to_vec())).unwrap();
            back.extend(others);
            let mut expected: Vec<Subject> = list.iter().map(|bytes| Subject::new(bytes)).collect();
            expected.sort();
            expected.dedup();
            prop_assert!(expected.windows(2).all(|pair| pair[0].prefix() <= pair[1].prefix()));
            prop_assert_eq!(&back, &expected.iter().map(Subject::to_bytes).collect::<Vec<_>>());
            for subject in &expected {
                prop_assert_eq!(list_has(Reader(&out), subject), Some(true));
            }
            let absent = Subject::new(b"12345678901");
            prop_assert_eq!(list_has(Reader(&out), &absent), Some(expected.contains(&absent)));
        }

        #[test]
        fn damage_is_no_panic(bytes: Vec<u8>) {
            let _ = read_list(&mut Reader(&bytes), |_| {}, |_| {});
            let _ = list_has(Reader(&bytes), &Subject::Code(7));
        }
    }
}
