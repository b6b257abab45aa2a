//! The beginning of a key as a number, for sorting: most comparisons end there and touch no other memory.

/// The first eight bytes. A shorter key counts as if zeros followed, so heads are never in the wrong order, only equal.
pub fn key_head(key: &[u8]) -> u64 {
    let mut first = [0; 8];
    let len = key.len().min(8);
    first[..len].copy_from_slice(&key[..len]);
    u64::from_be_bytes(first)
}
