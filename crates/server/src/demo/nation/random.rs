//! Seeded pseudo-random numbers.
//!
//! SplitMix64 (Steele, Lea, Flood 2014): one 64-bit addition and a finaliser a draw. It is no secret generator;
//! it makes the same nation from the same seed on every machine and every version of the toolchain.

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Debug, Clone)]
pub(super) struct SplitMix64(u64);

impl SplitMix64 {
    /// The stream of one thing: `topic` says what is drawn, `index` of which person, dwelling or enterprise.
    pub(super) fn of(seed: u64, topic: Topic, index: u64) -> Self {
        let base = finalise(seed ^ (topic as u64 + 1).wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self(finalise(base ^ index.wrapping_mul(GAMMA)))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        finalise(self.0)
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `low..=high`; `low` when the range is empty.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(0) as u64) as i64
    }

    /// True in `per_mille` of a thousand draws.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// An index in `0..len` that favours small ones (quadratically): popular names, large employers.
    pub(super) fn skewed(&mut self, len: usize) -> usize {
        let first = self.below(1 << 20);
        let second = self.below(1 << 20);
        ((u128::from(first * second) * len as u128) >> 40) as usize
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// What a stream of numbers is for; streams of different topics are unrelated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Topic {
    Households,
    Lineage,
    Surname,
    GivenName,
    Serial,
    NewCode,
    Dwelling,
    Building,
    Education,
    Enterprise,
    Officers,
    Employment,
    Wage,
    Disability,
    Orphan,
    Change,
}

fn finalise(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A step that visits every number of `0..modulus` once when added again and again.
pub(super) fn coprime_step(modulus: u64) -> u64 {
    let mut step = (u128::from(modulus) * 618 / 1000) as u64 | 1;
    while greatest_common_divisor(step, modulus) != 1 {
        step += 2;
    }
    step
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
