//! Second stage: from a band to a tridiagonal matrix, by chasing bulges down the band.
//!
//! Sweep j annihilates column j below its subdiagonal by a reflector of length b. Applied from both sides it fills a
//! block below the band; of that bulge only the first column is annihilated, by the next reflector, b rows further
//! down, and so on until the end; the rest is left to the sweeps that follow (Murata and Horikoshi 1975; Lang, *A
//! parallel algorithm for reducing symmetric banded matrices to tridiagonal form* (1993)). A hop works on b columns
//! alone, so hop h of a sweep may follow hop h + 1 of the sweep before it: sweeps are taken in groups that run down the
//! band together, a parallelogram of hops at a time while its columns are in cache, and far-apart parallelograms run on
//! different threads. Each hop finds the same numbers in any such order, so the result has the same bits.

use super::reflector::{self, Reflector};
use crate::error::Result;
use crate::pool::{self, Interrupt};
use crate::simd::{self, Isa};

/// Sweeps that run down the band together.
const GROUP: usize = 8;

/// Hops of each sweep in one task; at least GROUP, so that tasks of one front touch different columns.
const SPAN: usize = 16;

/// Orders below which a front of tasks is too short to be worth waking threads for.
const SERIAL_BELOW: usize = 512;

/// A symmetric band matrix: column j holds entries (j, j), ..., (j + 2 B - 1, j), with room for bulges; zeros follow the
/// last column, so that every block is whole.
pub struct Band<const B: usize> {
    n: usize,
    data: Vec<f64>,
}

impl<const B: usize> Band<B> {
    /// Zeros of order n.
    pub fn zeros(n: usize) -> Self {
        Self { n, data: vec![0.0; (n + 2 * B) * 2 * B] }
    }

    /// Set entry (j + offset, j), offset <= B.
    pub fn set(&mut self, j: usize, offset: usize, value: f64) {
        self.data[j * 2 * B + offset] = value;
    }

    /// Diagonal and subdiagonal of a tridiagonal matrix with the same eigenvalues.
    pub fn tridiagonal(mut self, interrupt: &Interrupt) -> Result<(Vec<f64>, Vec<f64>)> {
        let n = self.n;
        let sweeps = n.saturating_sub(2);
        let groups = sweeps.div_ceil(GROUP);
        let chunks = (n.div_ceil(B) + GROUP).div_ceil(SPAN);
        let mut states = vec![Reflector::<B>::identity(); sweeps];
        // Task (g, c) follows (g, c - 1) and (g - 1, c + 1); those with equal 2 g + c are independent.
        for front in 0..(2 * groups + chunks) {
            interrupt.check()?;
            let first = (front + 1).saturating_sub(chunks).div_ceil(2);
            let last = groups.min(front / 2 + 1);
            let mut tasks = Vec::with_capacity(last.saturating_sub(first));
            let (mut columns, mut taken) = (self.data.as_mut_slice(), 0);
            let (mut left, mut left_at) = (states.as_mut_slice(), 0);
            // Later groups are further up the band.
            let mut ordered = Vec::with_capacity(last.saturating_sub(first));
            for group in first..last {
                let from = group * GROUP;
                let size = GROUP.min(sweeps - from);
                let (_, rest) = std::mem::take(&mut left).split_at_mut(from - left_at);
                let (own, rest) = rest.split_at_mut(size);
                (left, left_at) = (rest, from + size);
                ordered.push((group, own));
            }
            for (group, own) in ordered.into_iter().rev() {
                let chunk = front - 2 * group;
                let from = group * GROUP;
                // Columns of the first hop of the last sweep to the last hop of the first sweep; column `from` and
                // those next to it begin the sweeps.
                let low = if chunk == 0 { from } else { from + (chunk * SPAN + 1 - own.len()) * B };
                let high = (from + 1 + (chunk + 1) * SPAN * B).min(n + B);
                if low >= high || low > n {
                    continue;
                }
                let low = low.max(taken);
                let (_, rest) = std::mem::take(&mut columns).split_at_mut((low - taken) * 2 * B);
                let (mine, rest) = rest.split_at_mut((high - low) * 2 * B);
                (columns, taken) = (rest, high);
                tasks.push(Task { n, from, chunk, low, columns: mine, states: own });
            }
            let serial = if n < SERIAL_BELOW { tasks.len() } else { 1 };
            pool::for_each_chunk_mut(&mut tasks, serial, |_, tasks| {
                for task in tasks {
                    match simd::isa() {
                        Isa::Scalar => simd::dispatch(Run::<B, false>(task)),
                        Isa::V3 | Isa::V4 => simd::dispatch(Run::<B, true>(task)),
                    }
                }
                Ok(())
            })?;
        }
        let entry = |j: usize, offset: usize| self.data[j * 2 * B + offset];
        Ok(((0..n).map(|j| entry(j, 0)).collect(), (1..n).map(|j| entry(j - 1, 1)).collect()))
    }
}

/// Some hops of some sweeps.
struct Task<'a, const B: usize> {
    n: usize,
    from: usize,
    chunk: usize,
    low: usize,
    columns: &'a mut [f64],
    states: &'a mut [Reflector<B>],
}

struct Run<'a, 'b, const B: usize, const FUSED: bool>(&'b mut Task<'a, B>);

impl<const B: usize, const FUSED: bool> simd::Op for Run<'_, '_, B, FUSED> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Task { n, from, chunk, low, columns, states } = self.0;
        for (s, state) in states.iter_mut().enumerate() {
            let sweep = *from + s;
            let begin = (*chunk * SPAN).saturating_sub(s);
            let end = ((*chunk + 1) * SPAN - s).min((*n - 1 - sweep).div_ceil(B));
            if begin == 0 {
                let at = (sweep - *low) * 2 * B + 1;
                *state = Reflector::annihilate::<FUSED>(&mut columns[at..at + B]);
            }
            for hop in begin..end {
                let at = (sweep + 1 + hop * B - *low) * 2 * B;
                let block = &mut columns[at..at + 2 * B * B];
                reflector::two_sided::<B, FUSED>(state, block);
                *state = reflector::pass_on::<B, FUSED>(state, block);
            }
        }
    }
}
