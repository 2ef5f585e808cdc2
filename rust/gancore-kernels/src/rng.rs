//! Randomness by counter: Philox4x32-10 addressed by (seed, stream, step, lane), so that a draw depends on nothing else.
//!
//! Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3* (SC 2011). The key is the seed; the
//! counter is (block of four coordinates, lane, step, stream). Chain `lane` at `step` draws the same numbers for any
//! batch size, chunking, thread count and instruction set.

use crate::num;
use crate::simd::LANES;

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
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
    /// Anything a caller numbers itself, from 0.
    User(u8),
}

impl Stream {
    const fn number(self) -> u32 {
        match self {
            Self::Proposal => 0,
            Self::Accept => 1,
            Self::Initial => 2,
            Self::Component => 3,
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
        open_unit(self.words(0, lane as u32)[0])
    }

    /// Fill rows of `dim` standard normals for lanes `first_lane`, `first_lane + 1`, ...
    ///
    /// Box and Muller's transform of pairs of words: two words give two normals whatever their values, so the count
    /// is fixed. A word has 32 bits, so |normal| is at most 6.77.
    #[inline(always)]
    pub fn normals(&self, first_lane: u64, dim: usize, out: &mut [f64]) {
        let blocks = dim.div_ceil(4);
        let total = out.len() / dim.max(1) * blocks;
        let mut start = 0;
        while start < total {
            let many = LANES.min(total - start);
            let mut words = [[0_u32; LANES]; 4];
            for i in 0..LANES {
                let (row, block) = ((start + i) / blocks, (start + i) % blocks);
                words[0][i] = block as u32;
                words[1][i] = first_lane.wrapping_add(row as u64) as u32;
            }
            let [step, tail] = self.tail();
            words[2] = [step; LANES];
            words[3] = [tail; LANES];
            philox_lanes(&mut words, self.key());
            let (a, b) = box_muller(&words[0], &words[1]);
            let (c, d) = box_muller(&words[2], &words[3]);
            for i in 0..many {
                let (row, block) = ((start + i) / blocks, (start + i) % blocks);
                let from = row * dim + 4 * block;
                let room = (dim - 4 * block).min(4);
                out[from..from + room].copy_from_slice(&[a[i], b[i], c[i], d[i]][..room]);
            }
            start += many;
        }
    }
}

/// A word as a number in (0, 1), symmetric about one half.
#[inline(always)]
fn open_unit(word: u32) -> f64 {
    (f64::from(word) + 0.5) * (1.0 / 4_294_967_296.0)
}

#[inline(always)]
fn box_muller(radius: &[u32; LANES], angle: &[u32; LANES]) -> ([f64; LANES], [f64; LANES]) {
    let (mut sines, mut cosines) = ([0.0; LANES], [0.0; LANES]);
    for i in 0..LANES {
        let r = (-2.0 * num::ln(open_unit(radius[i]))).sqrt();
        let (s, c) = num::sin_cos_turn(open_unit(angle[i]));
        cosines[i] = r * c;
        sines[i] = r * s;
    }
    (cosines, sines)
}

/// One call of Philox4x32-10.
#[inline(always)]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let mut words = counter.map(|w| [w; 1]);
    rounds(&mut words, key);
    words.map(|w| w[0])
}

#[inline(always)]
fn philox_lanes(words: &mut [[u32; LANES]; 4], key: [u32; 2]) {
    rounds(words, key);
}

#[inline(always)]
fn rounds<const N: usize>(words: &mut [[u32; N]; 4], mut key: [u32; 2]) {
    for round in 0..ROUNDS {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let before = *words;
        for i in 0..N {
            let low = u64::from(MULTIPLIERS[0]) * u64::from(before[0][i]);
            let high = u64::from(MULTIPLIERS[1]) * u64::from(before[2][i]);
            words[0][i] = (high >> 32) as u32 ^ before[1][i] ^ key[0];
            words[1][i] = high as u32;
            words[2][i] = (low >> 32) as u32 ^ before[3][i] ^ key[1];
            words[3][i] = low as u32;
        }
    }
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
