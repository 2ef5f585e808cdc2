//! Convolutions over embedded tokens, rectified and pooled over time: the features of a TextCNN (Kim 2014, eq. 2-3).
//!
//! ```text
//! y(r, f) = max_i relu(b_f + sum_j W_f[:, j] . e(token[r, i + j]))
//! ```
//!
//! W_f[:, j] . e(v) depends on the token v alone. Sixteen maps at a time, a table of these products over the tokens
//! that occur turns a window into a sum of `width` rows of it; where there are fewer windows than tokens, the products
//! are taken window by window instead.
//!
//! The tables are dense linear algebra ([`product`]), exempt from the rule against fused multiply-add: instruction sets
//! may differ by rounding, threads do not.

use super::lstm::{check_finite, check_tokens};
use super::panel::{HEIGHT, Lane, Panels, WIDTH, accumulate};
use crate::error::{Error, Result};
use crate::linalg::product::{self, Packed, TILE, Way};
use crate::pool::{self, Interrupt};
use crate::simd::{self, Op};

/// Rows that one task works through.
const TASK: usize = 256;

/// Filters of one width.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'a> {
    /// Tokens of a window.
    pub width: usize,
    /// (F, E, width)
    pub weight: &'a [f32],
    /// (F,)
    pub bias: &'a [f32],
}

/// (rows, sum F) features of rows of `length` tokens; `embedding` is (vocabulary, E).
pub fn token_table_conv(
    embedding: &[f32],
    vocabulary: usize,
    filters: &[Filter<'_>],
    tokens: &[i64],
    length: usize,
    interrupt: &Interrupt,
) -> Result<Vec<f32>> {
    let depth = embedding.len() / vocabulary.max(1);
    if depth == 0 || embedding.len() != depth * vocabulary {
        return Err(Error::shape("embedding", "(V, E) numbers", format!("{}", embedding.len())));
    }
    if length == 0 || !tokens.len().is_multiple_of(length) {
        let got = format!("{} tokens in rows of {length}", tokens.len());
        return Err(Error::shape("tokens", "rows of at least one token", got));
    }
    check_finite("embedding", embedding)?;
    check_tokens("tokens", tokens, length, vocabulary)?;
    for filter in filters {
        check_filter(filter, depth, length)?;
    }
    let (places, used) = compact(embedding, depth, vocabulary, tokens);
    let text = Text { tokens: &places, length, tiles: tiles(&used, depth), embedding: &used, depth };
    let maps: usize = filters.iter().map(|filter| filter.bias.len()).sum();
    let mut out = vec![0.0; tokens.len() / length * maps];
    let mut at = 0;
    for filter in filters {
        text.convolve(filter, &mut out, maps, at, interrupt)?;
        at += filter.bias.len();
    }
    Ok(out)
}

fn check_filter(filter: &Filter<'_>, depth: usize, length: usize) -> Result<()> {
    let (width, maps) = (filter.width, filter.bias.len());
    if width == 0 || width > length {
        let expected = format!("have widths from 1 to the {length} tokens of a row");
        return Err(Error::domain("filters", expected, width.to_string()));
    }
    if filter.weight.len() != maps * depth * width {
        let expected = format!("weights of {} numbers, (F, E, width)", maps * depth * width);
        return Err(Error::shape("filters", expected, format!("{}", filter.weight.len())));
    }
    check_finite("filters", filter.weight)?;
    check_finite("filters", filter.bias)
}

/// Tokens as places in the list of those that occur, and the embeddings of these.
fn compact(embedding: &[f32], depth: usize, vocabulary: usize, tokens: &[i64]) -> (Vec<usize>, Vec<f32>) {
    let (mut place, mut used) = (vec![usize::MAX; vocabulary], Vec::new());
    let places = tokens
        .iter()
        .map(|&token| {
            let token = token as usize;
            if place[token] == usize::MAX {
                place[token] = used.len() / depth;
                used.extend_from_slice(&embedding[token * depth..][..depth]);
            }
            place[token]
        })
        .collect();
    (places, used)
}

/// The embeddings of the tokens that occur, as factors of products.
fn tiles(used: &[f32], depth: usize) -> Vec<Packed<f32>> {
    let packed = |rows: &[f32]| {
        let mut packed = Packed::default();
        packed.pack(rows.len() / depth, |i| &rows[i * depth..][..depth], &vec![0.0; depth], 1.0);
        packed
    };
    used.chunks(TILE * depth).map(packed).collect()
}

struct Text<'a> {
    tokens: &'a [usize],
    length: usize,
    tiles: Vec<Packed<f32>>,
    embedding: &'a [f32],
    depth: usize,
}

impl Text<'_> {
    fn convolve(
        &self,
        filter: &Filter<'_>,
        out: &mut [f32],
        maps: usize,
        at: usize,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let (width, weights) = (filter.width, filter.column_by_column(self.depth));
        let panels = Panels::pack(&weights, width * self.depth, filter.bias);
        let windows = self.tokens.len() / self.length * (self.length - width + 1);
        let used = self.embedding.len() / self.depth;
        let by_table = used <= windows;
        let mut table = vec![[0.0; WIDTH]; if by_table { used * width } else { 0 }];
        for (tile, (columns, bias)) in panels.tiles().enumerate() {
            if by_table {
                let columns = factor(columns, self.depth);
                let way = Way { lower: false, add: false };
                pool::for_each_chunk_mut(&mut table, TILE * width, |i, table| {
                    interrupt.check()?;
                    let table = table.as_flattened_mut();
                    product::multiply(&self.tiles[i], &columns, self.depth, way, table, width * WIDTH)
                })?;
            }
            let (first, maps_here) = (tile * WIDTH, WIDTH.min(filter.bias.len() - tile * WIDTH));
            pool::for_each_chunk_mut(out, TASK * maps, |i, out| {
                interrupt.check()?;
                let rows = self.tokens.chunks_exact(self.length).skip(i * TASK);
                for (row, out) in rows.zip(out.chunks_exact_mut(maps)) {
                    let largest = if by_table {
                        simd::dispatch(Pool { row, table: &table, width })
                    } else {
                        simd::dispatch(Windows { row, text: self, weights: columns, width })
                    };
                    let out = &mut out[at + first..][..maps_here];
                    for ((out, largest), bias) in out.iter_mut().zip(largest).zip(bias) {
                        *out = (largest + bias).max(0.0);
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

impl Filter<'_> {
    /// The weights as (F, width, E).
    fn column_by_column(&self, depth: usize) -> Vec<f32> {
        let mut weights = Vec::with_capacity(self.weight.len());
        for map in self.weight.chunks_exact(depth * self.width) {
            for j in 0..self.width {
                weights.extend(map[j..].iter().step_by(self.width));
            }
        }
        weights
    }
}

/// Columns of sixteen filters, (width E, 16), as a factor of products with embeddings: of each column its sixteen maps.
fn factor(columns: &[Lane], depth: usize) -> Packed<f32> {
    let mut packed = Packed::zeros(columns.len() / depth * WIDTH, depth);
    for (column, weights) in columns.chunks_exact(depth).enumerate() {
        for (k, lanes) in weights.iter().enumerate() {
            for (lane, &weight) in lanes.iter().enumerate() {
                packed.set(column * WIDTH + lane, k, weight);
            }
        }
    }
    packed
}

/// The largest sum of a row's windows, by the table.
struct Pool<'a> {
    row: &'a [usize],
    table: &'a [Lane],
    width: usize,
}

impl Op for Pool<'_> {
    type Output = Lane;

    #[inline(always)]
    fn run(self) -> Lane {
        let mut largest = [f32::NEG_INFINITY; WIDTH];
        for window in self.row.windows(self.width) {
            let mut sums = [0.0; WIDTH];
            for (j, &token) in window.iter().enumerate() {
                let products = &self.table[token * self.width + j];
                for (sum, product) in sums.iter_mut().zip(products) {
                    *sum += product;
                }
            }
            keep_largest(&mut largest, &sums);
        }
        largest
    }
}

/// The largest sum of a row's windows, by products.
struct Windows<'a> {
    row: &'a [usize],
    text: &'a Text<'a>,
    weights: &'a [Lane],
    width: usize,
}

impl Op for Windows<'_> {
    type Output = Lane;

    #[inline(always)]
    fn run(self) -> Lane {
        let depth = self.text.depth;
        let mut largest = [f32::NEG_INFINITY; WIDTH];
        let mut group = vec![[0.0; HEIGHT]; self.weights.len()];
        let windows = self.row.len() - self.width + 1;
        for first in (0..windows).step_by(HEIGHT) {
            for place in 0..HEIGHT {
                // A group that is not full repeats its last window, which changes no maximum.
                let start = (first + place).min(windows - 1);
                for (j, &token) in self.row[start..][..self.width].iter().enumerate() {
                    let embedded = &self.text.embedding[token * depth..][..depth];
                    for (quad, &x) in group[j * depth..].iter_mut().zip(embedded) {
                        quad[place] = x;
                    }
                }
            }
            for sums in &accumulate(&group, self.weights, [0.0; WIDTH]) {
                keep_largest(&mut largest, sums);
            }
        }
        largest
    }
}

#[inline(always)]
fn keep_largest(largest: &mut Lane, sums: &Lane) {
    for (largest, &sum) in largest.iter_mut().zip(sums) {
        *largest = if sum > *largest { sum } else { *largest };
    }
}
