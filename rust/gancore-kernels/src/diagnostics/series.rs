//! Series side by side: pieces of chains, centred, in the lanes of one panel of quantities.

use super::Draws;
use crate::error::Result;
use crate::num::Real;
use crate::pool::Interrupt;
use crate::simd::{self, LANES};

/// One number of each series of a group.
pub(super) type Row = [f64; LANES];

/// Rows that are summed before they are added to the total: it bounds the growth of rounding errors.
const BLOCK: usize = 128;

/// Mean and unbiased variance of a series; the variance of one number is 0.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Summary {
    pub(super) mean: f64,
    pub(super) variance: f64,
}

/// Neighbouring quantities that are looked at together; where they are fewer than lanes, several chains are too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel {
    /// The first quantity.
    first: usize,
    /// How many: a power of two, at most [`LANES`].
    pub(super) width: usize,
}

impl Panel {
    /// Panels that cover so many quantities, as wide as they can be.
    pub(super) fn cover(dims: usize) -> Vec<Self> {
        let mut panels = Vec::with_capacity(dims / LANES + 3);
        let mut first = 0;
        while first < dims {
            let width = LANES.min(1 << (dims - first).ilog2());
            panels.push(Self { first, width });
            first += width;
        }
        panels
    }

    /// How many chains stand side by side.
    pub(super) fn chains(self) -> usize {
        LANES / self.width
    }

    /// Write the centred steps `start..start + rows.len()` of chains from `chain` on, and summarise them. Lanes for
    /// which there is no chain are 0.
    pub(super) fn load<T: Real>(
        self,
        draws: Draws<'_, T>,
        chain: usize,
        start: usize,
        rows: &mut [Row],
    ) -> [Summary; LANES] {
        let mut offsets = [None; LANES];
        for (lane, offset) in offsets.iter_mut().enumerate() {
            let chain = chain + lane / self.width;
            if chain < draws.chains {
                *offset = Some((chain * draws.steps + start) * draws.dims + self.first + lane % self.width);
            }
        }
        let contiguous = self.width == LANES;
        simd::dispatch(Load { values: draws.values, offsets, contiguous, stride: draws.dims, rows })
    }

    /// Hand over each chain, lane of the panel, and summary of the steps `start..start + length`.
    pub(super) fn for_series<T: Real>(
        self,
        draws: Draws<'_, T>,
        start: usize,
        length: usize,
        interrupt: &Interrupt,
        mut take: impl FnMut(usize, usize, Summary),
    ) -> Result<()> {
        let mut rows = vec![[0.0; LANES]; length];
        for first in (0..draws.chains).step_by(self.chains()) {
            interrupt.check()?;
            let summaries = self.load(draws, first, start, &mut rows);
            for (lane, &summary) in summaries.iter().enumerate() {
                let chain = first + lane / self.width;
                if chain < draws.chains {
                    take(chain, lane % self.width, summary);
                }
            }
        }
        Ok(())
    }
}

/// Run, gives the summaries.
struct Load<'a, T> {
    values: &'a [T],
    /// Where each lane's series begins.
    offsets: [Option<usize>; LANES],
    /// Whether the lanes are neighbours in one chain.
    contiguous: bool,
    stride: usize,
    rows: &'a mut [Row],
}

impl<T: Real> simd::Op for Load<'_, T> {
    type Output = [Summary; LANES];

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { values, offsets, contiguous, stride, rows } = self;
        let count = rows.len() as f64;
        if let (true, Some(first)) = (contiguous, offsets[0]) {
            for (row, values) in rows.iter_mut().zip(values[first..].chunks(stride)) {
                for (number, &value) in row.iter_mut().zip(values) {
                    *number = value.into();
                }
            }
        } else {
            for (lane, offset) in offsets.into_iter().enumerate() {
                let series = offset.map_or(&[][..], |offset| &values[offset..]);
                for (t, row) in rows.iter_mut().enumerate() {
                    row[lane] = series.get(t * stride).map_or(0.0, |&value| value.into());
                }
            }
        }
        let origin = rows.first().copied().unwrap_or_default();
        let mut shift = [0.0; LANES];
        for block in rows.chunks_mut(BLOCK) {
            let mut sum = [0.0; LANES];
            for row in block {
                for i in 0..LANES {
                    // Measured from the first number, what does not vary is exactly 0.
                    row[i] -= origin[i];
                    sum[i] += row[i];
                }
            }
            for i in 0..LANES {
                shift[i] += sum[i];
            }
        }
        for shift in &mut shift {
            *shift /= count;
        }
        let mut squares = [0.0; LANES];
        for block in rows.chunks_mut(BLOCK) {
            let mut sum = [0.0; LANES];
            for row in block {
                for i in 0..LANES {
                    row[i] -= shift[i];
                    sum[i] += row[i] * row[i];
                }
            }
            for i in 0..LANES {
                squares[i] += sum[i];
            }
        }
        let mut summaries = [Summary::default(); LANES];
        for i in 0..LANES {
            let variance = squares[i] / (count - 1.0).max(1.0);
            summaries[i] = Summary { mean: origin[i] + shift[i], variance };
        }
        summaries
    }
}
