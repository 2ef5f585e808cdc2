//! Rows in the order in which products read them.

use super::Factor;
use super::ahead::LINE;
use crate::num::Real;
use crate::simd;

/// Rows and columns that are turned together.
const SQUARE: usize = 8;

/// Rows of one length: stretch after stretch of the depth, in each panel after panel of rows, in each number after number
/// those of all rows of the panel. Rows that a panel lacks are zeros.
#[derive(Debug, Clone, Default)]
pub struct Packed<P> {
    values: Vec<P>,
    /// Where the first panel begins: at a line of the caches, for reading across two takes twice as long.
    first: usize,
    rows: usize,
    depth: usize,
}

impl<P: Factor> Packed<P> {
    /// Zeros.
    pub fn zeros(rows: usize, depth: usize) -> Self {
        let mut zeros = Self::default();
        zeros.resize(rows, depth);
        zeros
    }

    /// Become so large; what the numbers are then is of no meaning where there were others before.
    fn resize(&mut self, rows: usize, depth: usize) {
        let line = LINE / size_of::<P>();
        (self.rows, self.depth) = (rows, depth);
        self.values.resize(rows.next_multiple_of(P::PANEL) * depth + line, P::default());
        self.first = self.values.as_ptr().align_offset(LINE).min(line);
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Length of a row.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// All numbers from one of a row on; the next one of that row is `PANEL` further, as far as its stretch goes.
    #[inline(always)]
    pub(super) fn at(&self, row: usize, k: usize) -> &[P] {
        &self.values[self.index(row, k)..]
    }

    /// All numbers of the stretch after the one from `from` on.
    #[inline(always)]
    pub(super) fn after(&self, from: usize) -> &[P] {
        let next = from + P::STRETCH;
        if next >= self.depth {
            return &[];
        }
        let length = P::STRETCH.min(self.depth - next) * self.panels() * P::PANEL;
        &self.values[self.index(0, next)..][..length]
    }

    /// Write one number.
    pub fn set(&mut self, row: usize, k: usize, value: P) {
        let at = self.index(row, k);
        self.values[at] = value;
    }

    /// One number.
    pub fn get(&self, row: usize, k: usize) -> P {
        self.values[self.index(row, k)]
    }

    #[inline(always)]
    fn index(&self, row: usize, k: usize) -> usize {
        let from = k / P::STRETCH * P::STRETCH;
        let length = P::STRETCH.min(self.depth - from);
        self.first
            + from * self.panels() * P::PANEL
            + (row / P::PANEL * length + (k - from)) * P::PANEL
            + row % P::PANEL
    }

    /// The numbers of a panel within a stretch: those of all its rows at one depth after another.
    #[inline(always)]
    pub fn span(&self, panel: usize, stretch: usize) -> &[P] {
        let (first, length) = self.place(panel, stretch);
        &self.values[first..first + length]
    }

    /// The same, to be written.
    #[inline(always)]
    pub fn span_mut(&mut self, panel: usize, stretch: usize) -> &mut [P] {
        let (first, length) = self.place(panel, stretch);
        &mut self.values[first..first + length]
    }

    #[inline(always)]
    fn place(&self, panel: usize, stretch: usize) -> (usize, usize) {
        let from = stretch * P::STRETCH;
        let length = P::STRETCH.min(self.depth - from);
        (self.index(panel * P::PANEL, from), length * P::PANEL)
    }

    /// How many panels there are.
    pub fn panels(&self) -> usize {
        self.rows.div_ceil(P::PANEL)
    }

    /// Become `n` rows of length d, each of them less the centre and times the scale.
    pub fn pack<'a, T: Real>(
        &mut self,
        n: usize,
        row: impl Fn(usize) -> &'a [T],
        center: &[f64],
        scale: f64,
    ) {
        let d = center.len();
        self.resize(n, d);
        for stretch in 0..d.div_ceil(P::STRETCH) {
            let from = stretch * P::STRETCH;
            let span = from..d.min(from + P::STRETCH);
            for p in 0..self.panels() {
                let mut lines: [&[T]; 16] = [&[]; 16];
                for (r, line) in lines[..P::PANEL].iter_mut().enumerate() {
                    if p * P::PANEL + r < n {
                        *line = &row(p * P::PANEL + r)[span.clone()];
                    }
                }
                let panel = self.span_mut(p, stretch);
                simd::dispatch(Turn {
                    lines: &lines[..P::PANEL],
                    center: &center[span.clone()],
                    scale,
                    panel,
                });
            }
        }
    }
}

/// Write rows as a panel, moved and scaled; what an empty one stands for, as zeros.
struct Turn<'a, T, P> {
    lines: &'a [&'a [T]],
    center: &'a [f64],
    scale: f64,
    panel: &'a mut [P],
}

impl<T: Real, P: Factor> simd::Op for Turn<'_, T, P> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (right, lines) in self.lines.chunks_exact(SQUARE).enumerate() {
            for (top, (panel, center)) in
                self.panel.chunks_mut(SQUARE * P::PANEL).zip(self.center.chunks(SQUARE)).enumerate()
            {
                let mut square = [[P::default(); SQUARE]; SQUARE];
                for (side, line) in square.iter_mut().zip(lines) {
                    if line.is_empty() {
                        continue;
                    }
                    let from = &line[top * SQUARE..];
                    if let (Some(from), Ok(center)) = (from.first_chunk::<SQUARE>(), center.try_into()) {
                        *side = moved(from, center, self.scale);
                    } else {
                        for ((to, &value), middle) in side.iter_mut().zip(from).zip(center) {
                            *to = P::round((value.into() - middle) * self.scale);
                        }
                    }
                }
                for (k, to) in panel.chunks_exact_mut(P::PANEL).enumerate() {
                    for (lane, value) in to[right * SQUARE..][..SQUARE].iter_mut().enumerate() {
                        *value = square[lane][k];
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn moved<T: Real, P: Real + Default>(from: &[T; SQUARE], center: &[f64; SQUARE], scale: f64) -> [P; SQUARE] {
    let mut to = [P::default(); SQUARE];
    for l in 0..SQUARE {
        to[l] = P::round((from[l].into() - center[l]) * scale);
    }
    to
}
