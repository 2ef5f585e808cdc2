//! Standard normals of a counter: Box and Muller's transform of pairs of words, many at a time.

use super::{Address, open_unit, rounds};
use crate::num;

/// Quadruples of normals that are drawn at a time.
const DRAWN: usize = 32;

impl Address {
    /// Standard normals 4 `block[i]`, ..., 4 `block[i]` + 3 of lane `lane[i]`, coordinate by coordinate. Of blocks and
    /// lanes the low 32 bits are used. With `PAIRS` = 1 only the first two are made, the others are 0.
    ///
    /// Box and Muller's transform of pairs of words: two words give two normals whatever their values, so the count
    /// is fixed. A word has 32 bits, so |normal| is at most 6.77.
    #[inline(always)]
    pub fn normal_block<const PAIRS: usize, const N: usize>(
        &self,
        block: &[u64; N],
        lane: &[u64; N],
    ) -> [[f64; N]; 4] {
        let [step, tail] = self.tail().map(u64::from);
        let mut words = [[0; N]; 4];
        for i in 0..N {
            let drawn = rounds([block[i], lane[i], step, tail], self.key());
            for (words, word) in words.iter_mut().zip(drawn) {
                words[i] = word;
            }
        }
        let [first, second] = box_muller(&words[0], &words[1]);
        let [third, fourth] = if PAIRS > 1 { box_muller(&words[2], &words[3]) } else { [[0.0; N]; 2] };
        [first, second, third, fourth]
    }

    /// [`Address::normal_block`] by float32 arithmetic: the same normals within 2e-6.
    #[inline(always)]
    pub fn normal_block_single<const PAIRS: usize, const N: usize>(
        &self,
        block: &[u64; N],
        lane: &[u64; N],
    ) -> [[f32; N]; 4] {
        let [step, tail] = self.tail().map(u64::from);
        let mut words = [[0; N]; 4];
        for i in 0..N {
            let drawn = rounds([block[i], lane[i], step, tail], self.key());
            for (words, word) in words.iter_mut().zip(drawn) {
                words[i] = word as u32;
            }
        }
        let [first, second] = box_muller_single(&words[0], &words[1]);
        let [third, fourth] = if PAIRS > 1 { box_muller_single(&words[2], &words[3]) } else { [[0.0; N]; 2] };
        [first, second, third, fourth]
    }

    /// Fill rows of `dim` standard normals for lanes `first_lane`, `first_lane + 1`, ...
    #[inline(always)]
    pub fn normals(&self, first_lane: u64, dim: usize, out: &mut [f64]) {
        self.fill::<f64, Double>(first_lane, dim, out);
    }

    /// [`Address::normals`] by float32 arithmetic, in a third of the time: the same within 2e-6.
    #[inline(always)]
    pub fn normals_single(&self, first_lane: u64, dim: usize, out: &mut [f32]) {
        self.fill::<f32, Single>(first_lane, dim, out);
    }

    #[inline(always)]
    fn fill<T: Copy, D: Draw<T>>(&self, first_lane: u64, dim: usize, out: &mut [T]) {
        let dim = dim.max(1);
        let mut cursor = Cursor { blocks: dim.div_ceil(4) as u64, block: 0, lane: first_lane };
        // Where a row is whole quadruples, or one pair, they follow each other in memory without a gap.
        if dim.is_multiple_of(4) {
            for out in out.chunks_mut(4 * DRAWN) {
                let (block, lane) = cursor.next();
                interleave::<T, 4>(&D::draw::<2>(self, &block, &lane), out);
            }
        } else if dim == 2 {
            for out in out.chunks_mut(2 * DRAWN) {
                let (block, lane) = cursor.next();
                let [first, second, ..] = D::draw::<1>(self, &block, &lane);
                interleave::<T, 2>(&[first, second], out);
            }
        } else {
            let mut rows = out.chunks_mut(dim).flat_map(|row| row.chunks_mut(4));
            loop {
                let (block, lane) = cursor.next();
                let normals = if dim < 3 {
                    D::draw::<1>(self, &block, &lane)
                } else {
                    D::draw::<2>(self, &block, &lane)
                };
                for i in 0..DRAWN {
                    let Some(place) = rows.next() else { return };
                    for (value, normal) in place.iter_mut().zip(&normals) {
                        *value = normal[i];
                    }
                }
            }
        }
    }
}

/// Walks over the quadruples of rows.
struct Cursor {
    blocks: u64,
    block: u64,
    lane: u64,
}

impl Cursor {
    /// Blocks and lanes of the next quadruples.
    #[inline(always)]
    fn next(&mut self) -> ([u64; DRAWN], [u64; DRAWN]) {
        let (mut blocks, mut lanes) = ([self.block; DRAWN], [self.lane; DRAWN]);
        if self.blocks == 1 {
            for i in 0..DRAWN {
                lanes[i] = lanes[i].wrapping_add(i as u64);
            }
            self.lane = self.lane.wrapping_add(DRAWN as u64);
        } else if self.block + DRAWN as u64 <= self.blocks {
            for i in 0..DRAWN {
                blocks[i] += i as u64;
            }
            self.block += DRAWN as u64;
            if self.block == self.blocks {
                (self.block, self.lane) = (0, self.lane.wrapping_add(1));
            }
        } else {
            for (block, lane) in blocks.iter_mut().zip(&mut lanes) {
                (*block, *lane) = (self.block, self.lane);
                self.block += 1;
                if self.block == self.blocks {
                    (self.block, self.lane) = (0, self.lane.wrapping_add(1));
                }
            }
        }
        (blocks, lanes)
    }
}

/// Write the numbers of one index side by side.
#[inline(always)]
fn interleave<T: Copy, const K: usize>(columns: &[[T; DRAWN]; K], out: &mut [T]) {
    let (whole, rest) = out.as_chunks_mut::<K>();
    if let Some(whole) = whole.first_chunk_mut::<DRAWN>() {
        for i in 0..DRAWN {
            for k in 0..K {
                whole[i][k] = columns[k][i];
            }
        }
        return;
    }
    for (i, place) in whole.iter_mut().enumerate() {
        for k in 0..K {
            place[k] = columns[k][i];
        }
    }
    for (value, column) in rest.iter_mut().zip(columns) {
        *value = column[whole.len()];
    }
}

/// Which arithmetic normals are made by.
trait Draw<T> {
    fn draw<const PAIRS: usize>(
        address: &Address,
        block: &[u64; DRAWN],
        lane: &[u64; DRAWN],
    ) -> [[T; DRAWN]; 4];
}

struct Double;

impl Draw<f64> for Double {
    #[inline(always)]
    fn draw<const PAIRS: usize>(
        address: &Address,
        block: &[u64; DRAWN],
        lane: &[u64; DRAWN],
    ) -> [[f64; DRAWN]; 4] {
        address.normal_block::<PAIRS, DRAWN>(block, lane)
    }
}

struct Single;

impl Draw<f32> for Single {
    #[inline(always)]
    fn draw<const PAIRS: usize>(
        address: &Address,
        block: &[u64; DRAWN],
        lane: &[u64; DRAWN],
    ) -> [[f32; DRAWN]; 4] {
        address.normal_block_single::<PAIRS, DRAWN>(block, lane)
    }
}

#[inline(always)]
fn box_muller<const N: usize>(radius: &[u64; N], angle: &[u64; N]) -> [[f64; N]; 2] {
    let mut normals = [[0.0; N]; 2];
    for i in 0..N {
        let r = (-2.0 * num::ln_normal(open_unit(radius[i]))).sqrt();
        let (s, c) = num::sin_cos_turn(open_unit(angle[i]));
        normals[0][i] = r * c;
        normals[1][i] = r * s;
    }
    normals
}

#[inline(always)]
fn box_muller_single<const N: usize>(radius: &[u32; N], angle: &[u32; N]) -> [[f32; N]; 2] {
    let mut normals = [[0.0; N]; 2];
    for i in 0..N {
        let r = (-2.0 * num::single::ln_unit_word(radius[i])).sqrt();
        let (s, c) = num::single::sin_cos_word(angle[i]);
        normals[0][i] = r * c;
        normals[1][i] = r * s;
    }
    normals
}
