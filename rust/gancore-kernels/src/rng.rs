//! Randomness by counter: Philox4x32-10 addressed by (seed, stream, step, lane), so that a draw depends on nothing else.
//!
//! Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3* (SC 2011). The key is the seed; the
//! counter is (block of four coordinates, lane, step, stream). Chain `lane` at `step` draws the same numbers for any
//! batch size, chunking, thread count and instruction set.

mod normals;

use crate::error::{Error, Result};

const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: u32 = 10;

/// What a draw is for; each purpose is a stream of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Noise of proposals.
    Proposal,
    /// Uniforms of accept steps.
    Accept,
    /// Initial states.
    Initial,
    /// Which component of a mixture.
    Component,
    /// Which token of a vocabulary.
    Token,
    /// Anything a caller numbers itself, from 0 to 239: streams share a byte of the counter with the named ones.
    User(u8),
}

impl Stream {
    /// The stream of a number: 0 to 4 are the named ones in order, 16 to 255 those that callers number.
    pub fn from_number(number: u8) -> Result<Self> {
        match number {
            0 => Ok(Self::Proposal),
            1 => Ok(Self::Accept),
            2 => Ok(Self::Initial),
            3 => Ok(Self::Component),
            4 => Ok(Self::Token),
            16.. => Ok(Self::User(number - 16)),
            _ => Err(Error::domain("stream", "be the number of a stream", number.to_string())),
        }
    }

    const fn number(self) -> u32 {
        match self {
            Self::Proposal => 0,
            Self::Accept => 1,
            Self::Initial => 2,
            Self::Component => 3,
            Self::Token => 4,
            Self::User(i) => 16 + i as u32,
        }
    }
}

/// Where draws come from: everything but the lane and the coordinate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// Seed: the 64-bit key.
    pub seed: u64,
    /// Purpose of the draws.
    pub stream: Stream,
    /// Step of the chain; 56 bits are used.
    pub step: u64,
}

impl Address {
    #[inline(always)]
    fn key(&self) -> [u32; 2] {
        [self.seed as u32, (self.seed >> 32) as u32]
    }

    #[inline(always)]
    fn tail(&self) -> [u32; 2] {
        let high = ((self.step >> 32) as u32) & 0x00FF_FFFF;
        [self.step as u32, high | (self.stream.number() << 24)]
    }

    /// Four words for one block of coordinates of one lane.
    #[inline(always)]
    fn words(&self, block: u32, lane: u32) -> [u32; 4] {
        let [step, tail] = self.tail();
        philox([block, lane, step, tail], self.key())
    }

    /// A uniform number in (0, 1) for one lane.
    #[inline(always)]
    pub fn uniform(&self, lane: u64) -> f64 {
        open_unit(u64::from(self.words(0, lane as u32)[0]))
    }

    /// A uniform number in (0, 1) for one block of one lane, an odd multiple of 2^-53: events of probability 1e-12 are
    /// met as often as they should be, which 32 bits cannot say.
    #[inline(always)]
    pub fn fine_uniform(&self, block: u32, lane: u32) -> f64 {
        let [high, low, ..] = self.words(block, lane);
        let word = (u64::from(high) << 20) | u64::from(low >> 12);
        (word as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
    }

    /// [`Address::uniform`] of lanes `first_lane`, `first_lane + 1`, ...
    #[inline(always)]
    pub fn uniform_lanes<const N: usize>(&self, first_lane: u64, out: &mut [f64; N]) {
        let [step, tail] = self.tail().map(u64::from);
        for (i, out) in out.iter_mut().enumerate() {
            let lane = first_lane.wrapping_add(i as u64);
            *out = open_unit(rounds([0, lane, step, tail], self.key())[0]);
        }
    }
}

const LOW: u64 = 0xFFFF_FFFF;

/// A word as a number in (0, 1), symmetric about one half.
#[inline(always)]
fn open_unit(word: u64) -> f64 {
    // Words become doubles through the bits of 2^52: AVX2 has no such conversion.
    let word = f64::from_bits(word & LOW | 4_503_599_627_370_496.0_f64.to_bits()) - 4_503_599_627_370_496.0;
    (word + 0.5) * (1.0 / 4_294_967_296.0)
}

/// One call of Philox4x32-10.
#[inline(always)]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    rounds(counter.map(u64::from), key).map(|word| word as u32)
}

/// Philox's rounds on words that stand in the low halves of 64 bits; the high halves are left as they fall, since
/// masking where a product is taken is what lets AVX2 multiply in one instruction.
#[inline(always)]
fn rounds(counter: [u64; 4], mut key: [u32; 2]) -> [u64; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    for round in 0..ROUNDS {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let low = MULTIPLIERS[0] * (a & LOW);
        let high = MULTIPLIERS[1] * (c & LOW);
        a = (high >> 32) ^ b ^ u64::from(key[0]);
        b = high;
        c = (low >> 32) ^ d ^ u64::from(key[1]);
        d = low;
    }
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of Random123's `kat_vectors` for philox4x32, 10 rounds.
    #[test]
    fn philox_gives_the_known_answers() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox(counter, key), expected);
        }
    }

    fn address(step: u64) -> Address {
        Address { seed: 7, stream: Stream::Proposal, step }
    }

    #[test]
    fn a_lane_draws_the_same_in_any_chunking() {
        for dim in [1, 2, 3, 4, 5, 9] {
            let mut whole = vec![0.0; 40 * dim];
            address(3).normals(5, dim, &mut whole);
            for lane in 0..40 {
                let mut one = vec![0.0; dim];
                address(3).normals(5 + lane as u64, dim, &mut one);
                assert_eq!(one, whole[lane * dim..(lane + 1) * dim]);
            }
        }
    }

    #[test]
    fn normals_by_float32_are_those_by_float64() {
        let lanes: [u64; 64] = std::array::from_fn(|i| i as u64);
        for block in 0..2000 {
            let single = address(9).normal_block_single::<2, 64>(&[block; 64], &lanes);
            let double = address(9).normal_block::<2, 64>(&[block; 64], &lanes);
            for (a, b) in single.as_flattened().iter().zip(double.as_flattened()) {
                assert!((f64::from(*a) - b).abs() <= 2e-6, "{a} {b}");
            }
        }
    }

    #[test]
    fn normals_have_the_moments_of_normals() {
        let mut x = vec![0.0; 1 << 20];
        address(0).normals(0, 16, &mut x);
        let n = x.len() as f64;
        let moment = |p: i32| x.iter().map(|v| v.powi(p)).sum::<f64>() / n;
        // Six standard errors: sqrt(1/n), sqrt(2/n), sqrt(15/n), sqrt(96/n).
        assert!(moment(1).abs() < 6.0 * (1.0 / n).sqrt());
        assert!((moment(2) - 1.0).abs() < 6.0 * (2.0 / n).sqrt());
        assert!(moment(3).abs() < 6.0 * (15.0 / n).sqrt());
        assert!((moment(4) - 3.0).abs() < 6.0 * (96.0 / n).sqrt());
    }

    #[test]
    fn numbers_and_streams_are_one_to_one() {
        for number in (0..5).chain(16..=255) {
            assert_eq!(Stream::from_number(number).unwrap().number(), u32::from(number));
        }
        assert!((5..16).all(|number| Stream::from_number(number).is_err()));
    }

    #[test]
    fn streams_steps_and_seeds_differ() {
        let draw = |seed, stream, step| {
            let mut x = [0.0; 4];
            Address { seed, stream, step }.normals(0, 4, &mut x);
            x
        };
        let base = draw(1, Stream::Proposal, 0);
        assert_ne!(base, draw(2, Stream::Proposal, 0));
        assert_ne!(base, draw(1 << 32, Stream::Proposal, 0));
        assert_ne!(base, draw(1, Stream::Initial, 0));
        assert_ne!(base, draw(1, Stream::Proposal, 1));
        assert_ne!(base, draw(1, Stream::Proposal, 1 << 32));
    }
}
