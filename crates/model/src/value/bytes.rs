//! Questions to the bytes of a text, eight at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Is every byte below 0xCC?
pub fn all_below_cc(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let reach = |word: u64| {
        // The sum has the highest bit where the seven others are 0x4C or more; no byte carries into the next.
        let sum = (word & !HIGH) + (0x80 - 0x4C) * ONES;
        sum & word & HIGH
    };
    words.iter().all(|word| reach(u64::from_le_bytes(*word)) == 0) && rest.iter().all(|byte| *byte < 0xCC)
}

/// The first byte from `from` on that RFC 8785 escapes in a string.
pub fn next_escaped(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let (words, tail) = rest.as_chunks::<8>();
    let escaped = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    for (number, word) in words.iter().enumerate() {
        if may_be_escaped(u64::from_le_bytes(*word))
            && let Some(at) = word.iter().position(escaped)
        {
            return Some(from + 8 * number + at);
        }
    }
    let at = tail.iter().position(escaped)?;
    Some(from + 8 * words.len() + at)
}

/// Exact for the lowest such byte; above it a byte may be taken for one that is none.
/// <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>
fn may_be_escaped(word: u64) -> bool {
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(0x20 * ONES) & !word;
    let quote = zero(word ^ (u64::from(b'"') * ONES));
    let backslash = zero(word ^ (u64::from(b'\\') * ONES));
    (control | quote | backslash) & HIGH != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_same_as_byte_by_byte(
            text in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'\\'), Just(0x1F), Just(0x20), Just(0xCB), Just(0xCC), b'a'..=b'z'], 0..40),
            from in 0..45usize,
        ) {
            prop_assert_eq!(all_below_cc(&text), text.iter().all(|byte| *byte < 0xCC));
            let found = (from..text.len()).find(|at| text[*at] < 0x20 || text[*at] == b'"' || text[*at] == b'\\');
            prop_assert_eq!(next_escaped(&text, from), found);
        }
    }
}
