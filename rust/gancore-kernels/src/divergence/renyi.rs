//! The Renyi divergence: through the alpha divergence where p and q are close, by a shifted sum where they are far.
//!
//! ```text
//! R_a = ln(1 + a (a - 1) A_a) / (a - 1)                    close: nothing cancels
//!     = M + ln(sum p exp((a - 1)(L - M))) / (a - 1)        far: M the largest L = ln(p/q) for a > 1, the smallest below
//! R_0 = -ln(1 - sum of q where p = 0),  R_1 = KL,  R_inf = max L        van Erven and Harremoes 2014, definition 3
//! ```

use super::terms::{self, SCALE, ln_ratio};
use super::{RowSum, Rows, Scales, Sums, for_rows};
use crate::error::{Error, Result};
use crate::num::{self, Map2, Real};
use crate::pool::Interrupt;
use crate::simd;

/// The Renyi divergence of each row, of an order in [0, inf].
pub fn renyi<T: Real>(order: f64, rows: Rows<'_, T>, interrupt: &Interrupt) -> Result<Vec<f64>> {
    if order.is_nan() || order < 0.0 {
        return Err(Error::domain("alpha", "be at least 0", order.to_string()));
    }
    if order == 1.0 {
        return super::each_row(rows, &terms::Kl, interrupt);
    }
    if order == 0.0 {
        return for_rows(rows, interrupt, |p, q, sums| {
            let outside = simd::dispatch(RowSum { p, q, sums, term: &Mass { within: false } }) / SCALE;
            if outside < 0.5 {
                return Ok(-(-outside).ln_1p());
            }
            let within = simd::dispatch(RowSum { p, q, sums, term: &Mass { within: true } }) / SCALE;
            Ok(-within.ln())
        });
    }
    let term = terms::Alpha::new(if order.is_finite() { order } else { 2.0 })?;
    for_rows(rows, interrupt, |p, q, sums| {
        let excess = order - 1.0;
        if order.is_finite() {
            let alpha = simd::dispatch(RowSum { p, q, sums, term: &term }) / SCALE;
            let moved = order * excess * alpha;
            if moved.abs() < 0.5 {
                return Ok(moved.ln_1p() / excess);
            }
        }
        let mark = simd::dispatch(Extreme { p, q, sums, largest: excess > 0.0 });
        if order.is_infinite() || mark.is_infinite() {
            return Ok(mark);
        }
        let sum = simd::dispatch(RowSum { p, q, sums, term: &Shifted { excess, mark } }) / SCALE;
        Ok((mark + sum.ln() / excess).max(0.0))
    })
}

/// Mass of q where p has some, or where it has none: of the two, the logarithm wants the smaller.
struct Mass {
    within: bool,
}

impl terms::Term for Mass {
    #[inline(always)]
    fn term(&self, p: f64, q: f64, _: f64) -> f64 {
        if (p == 0.0) == self.within { 0.0 } else { q }
    }
}

/// p exp((a - 1)(L - M)).
struct Shifted {
    excess: f64,
    mark: f64,
}

impl terms::Term for Shifted {
    #[inline(always)]
    fn term(&self, p: f64, q: f64, d: f64) -> f64 {
        let value = p * num::exp(self.excess * (ln_ratio(p, q, d) - self.mark));
        if p == 0.0 || q == 0.0 { 0.0 } else { value }
    }
}

/// The largest or smallest ln(p/q) where p has mass; where there is none, or the largest is infinite, infinity.
struct Extreme<'a, T> {
    p: &'a [T],
    q: &'a [T],
    sums: Sums,
    largest: bool,
}

struct Logs(Scales);

impl<T: Real> Map2<T, T> for Logs {
    #[inline(always)]
    fn map(&self, p: T, q: T) -> f64 {
        let (p, q, d) = self.0.apply(p.into(), q.into());
        let value = if d == 0.0 { 0.0 } else { ln_ratio(p, q, d) };
        let value = if q == 0.0 { f64::INFINITY } else { value };
        if p == 0.0 { f64::NAN } else { value }
    }
}

impl<T: Real> simd::Op for Extreme<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let logs = Logs(Scales::new(self.sums));
        // f64::max and min pass over nan, which marks bins without mass.
        let start = if self.largest { f64::NEG_INFINITY } else { f64::INFINITY };
        let mut mark = start;
        for (&p, &q) in self.p.iter().zip(self.q) {
            let log = logs.map(p, q);
            mark = if self.largest { mark.max(log) } else { mark.min(log) };
        }
        mark
    }
}
