//! A Bloom filter in blocks of 64 bytes: 480 bits and a crc. One read answers; damage is noticed, for a
//! filter that lies would hide a disclosure.

use crate::journal::subject::Subject;

pub const BLOCK: usize = 64;
const BITS: u64 = 480;
const PER_SUBJECT: u64 = 10;
const PROBES: u32 = 7;
/// Beyond about 12 million subjects a run's filter gets less sharp instead of larger.
const MAX_BLOCKS: u64 = 1 << 18;

pub fn hash(subject: &Subject) -> u64 {
    match subject {
        Subject::Code(code) => mix(*code),
        Subject::Other(bytes) => {
            let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold))
        }
    }
}

/// The finisher of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

pub fn block_of(hash: u64, blocks: u64) -> u64 {
    ((u128::from(hash) * u128::from(blocks)) >> 64) as u64
}

fn probes(hash: u64) -> impl Iterator<Item = usize> {
    let bits = mix(hash);
    (0..PROBES).map(move |probe| (((bits >> (9 * probe)) & 511) % BITS) as usize)
}

/// `None` = damaged.
pub fn block_holds(block: &[u8; BLOCK], hash: u64) -> Option<bool> {
    let (bits, crc) = block.split_last_chunk::<4>()?;
    if crc32fast::hash(bits) != u32::from_le_bytes(*crc) {
        return None;
    }
    Some(probes(hash).all(|bit| bits[bit / 8] & (1 << (bit % 8)) != 0))
}

pub struct Filter(Vec<[u8; BLOCK]>);

impl Filter {
    pub fn new(distinct: u64) -> Self {
        let blocks = (distinct.saturating_mul(PER_SUBJECT) / BITS + 1).min(MAX_BLOCKS);
        Self(vec![[0; BLOCK]; blocks as usize])
    }

    pub fn insert(&mut self, hash: u64) {
        let blocks = self.0.len() as u64;
        let block = &mut self.0[block_of(hash, blocks) as usize];
        for bit in probes(hash) {
            block[bit / 8] |= 1 << (bit % 8);
        }
    }

    pub fn finish(mut self) -> Vec<[u8; BLOCK]> {
        for block in &mut self.0 {
            let crc = crc32fast::hash(&block[..BLOCK - 4]);
            block[BLOCK - 4..].copy_from_slice(&crc.to_le_bytes());
        }
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_all_and_little_else() {
        let mut filter = Filter::new(10_000);
        let subjects = |from: u64| (from..from + 10_000).map(|n| hash(&Subject::Code(n * 31)));
        subjects(0).for_each(|hash| filter.insert(hash));
        let blocks = filter.finish();
        let holds =
            |hash: u64| block_holds(&blocks[block_of(hash, blocks.len() as u64) as usize], hash).unwrap();
        assert!(subjects(0).all(holds));
        assert!(subjects(1 << 30).filter(|hash| holds(*hash)).count() < 300);
        let mut damaged = blocks[0];
        damaged[5] ^= 4;
        assert_eq!(block_holds(&damaged, 1), None);
    }
}
