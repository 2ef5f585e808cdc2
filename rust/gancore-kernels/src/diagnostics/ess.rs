//! Effective sample size: lagged products of all chains, summed as Geyer's sequences tell.
//!
//! Pairs P_k = rho_{2k} + rho_{2k+1} are summed until the first negative one, each no more than the one before
//! (initial monotone positive sequence: Geyer, *Practical Markov chain Monte Carlo*, 1992, section 3.3). Antithetic
//! chains beat independent draws, but no estimate from a finite run should promise much of that: the effective size is
//! at most M n log10(M n) (Vehtari et al. 2021, section 3.2).
//!
//! Chains that mix well need few lags, which are multiplied out. Others need all of them, by a transform: the two
//! halves of a chain, centred, are the real and imaginary part of one series, so that the squared magnitude of its
//! transform is a spectrum whose inverse has the sum of both halves' lagged products as real part. Spectra are added
//! over chains, so there is one transform a chain and one back.

use super::fourier::Plan;
use super::series::Row;
use super::{Draws, Spread, for_panels};
use crate::error::Result;
use crate::num::Real;
use crate::pool::Interrupt;
use crate::simd::{self, LANES};

/// Lags that are multiplied out before the transform, which then costs less.
const DIRECT: usize = 48;

/// Lags that one pass over a series takes: their sums stay in registers.
const PASS: usize = 4;

/// Effective sample size of each quantity; at least 4 steps.
pub fn effective_sample_size<T: Real>(draws: Draws<'_, T>, interrupt: &Interrupt) -> Result<Vec<f64>> {
    draws.check(4)?;
    let half = draws.steps / 2;
    // Padded to twice the length, no product wraps around.
    let plan = Plan::new((2 * half).next_power_of_two());
    for_panels(draws.dims, interrupt, |panel| {
        let mut series = vec![[0.0; LANES]; draws.chains.div_ceil(panel.chains()) * 2 * half];
        let mut spreads = [Spread::default(); LANES];
        for (i, rows) in series.chunks_mut(half).enumerate() {
            interrupt.check()?;
            let (first, start) = (i / 2 * panel.chains(), if i % 2 == 0 { 0 } else { draws.steps - half });
            for (lane, &summary) in panel.load(draws, first, start, rows).iter().enumerate() {
                if first + lane / panel.width < draws.chains {
                    spreads[lane % panel.width].add(summary);
                }
            }
        }
        let mut times = spreads.map(|spread| Time::new(spread, half));
        let times = &mut times[..panel.width];
        for first in (0..half.min(DIRECT)).step_by(PASS) {
            interrupt.check()?;
            let mut products = [[0.0; LANES]; PASS];
            for rows in series.chunks(half) {
                simd::dispatch(Products { rows, first, sums: &mut products });
            }
            take(times, &products);
            if times.iter().all(|time| time.ended) {
                break;
            }
        }
        if !times.iter().all(|time| time.ended) {
            let products = transformed(&series, half, &plan, interrupt)?;
            times.iter_mut().for_each(Time::restart);
            take(times, &products[..half]);
        }
        let mut sizes = [f64::NAN; LANES];
        for (size, time) in sizes.iter_mut().zip(times) {
            *size = time.size();
        }
        Ok(sizes)
    })
}

/// Hand lagged products to the quantities they are of, whose lanes are folded.
fn take(times: &mut [Time], products: &[Row]) {
    let width = times.len();
    for pair in products.chunks_exact(2) {
        for (lane, time) in times.iter_mut().enumerate() {
            let folded = |row: &Row| row.iter().skip(lane).step_by(width).sum();
            time.add_pair(folded(&pair[0]), folded(&pair[1]));
        }
    }
}

/// Products of all lags, summed over the series, of which two at a time are transformed.
fn transformed(series: &[Row], half: usize, plan: &Plan, interrupt: &Interrupt) -> Result<Vec<Row>> {
    let mut power = vec![[0.0; LANES]; plan.length()];
    let (mut real, mut imaginary) = (power.clone(), power.clone());
    for pair in series.chunks_exact(2 * half) {
        interrupt.check()?;
        let (first, second) = pair.split_at(half);
        for (rows, source) in [(&mut real, first), (&mut imaginary, second)] {
            rows[..half].copy_from_slice(source);
            rows[half..].fill([0.0; LANES]);
        }
        plan.add_power(&mut real, &mut imaginary, &mut power);
    }
    plan.lagged(&mut power, &mut imaginary);
    Ok(power)
}

/// The sum of one quantity's correlations.
#[derive(Clone, Copy)]
struct Time {
    lags: usize,
    /// Lags that were taken.
    taken: usize,
    draws: f64,
    within: f64,
    total: f64,
    /// What makes a mean covariance of a sum of products.
    scale: f64,
    sum: f64,
    least: f64,
    ended: bool,
}

impl Time {
    fn new(spread: Spread, lags: usize) -> Self {
        let (within, between) = spread.variances();
        let n = lags as f64;
        Self {
            lags,
            taken: 0,
            draws: n * spread.count,
            within,
            total: (n - 1.0) / n * within + between,
            scale: 1.0 / ((n - 1.0) * spread.count),
            sum: 0.0,
            least: f64::INFINITY,
            ended: false,
        }
    }

    fn restart(&mut self) {
        *self = Self { taken: 0, sum: 0.0, least: f64::INFINITY, ended: false, ..*self };
    }

    fn add_pair(&mut self, even: f64, odd: f64) {
        let correlation = |products: f64| 1.0 - (self.within - products * self.scale) / self.total;
        let pair = correlation(even) + correlation(odd);
        // Not "negative": what is nan ends too.
        let positive = pair >= 0.0;
        self.taken += 2;
        self.ended |= self.taken > self.lags || !positive;
        if !self.ended {
            self.least = pair.min(self.least);
            self.sum += self.least;
            self.ended = self.taken + 1 >= self.lags;
        }
    }

    fn size(&self) -> f64 {
        if self.within > 0.0 {
            self.draws / (2.0 * self.sum - 1.0).max(1.0 / self.draws.log10())
        } else {
            f64::NAN
        }
    }
}

struct Products<'a> {
    rows: &'a [Row],
    first: usize,
    sums: &'a mut [Row; PASS],
}

impl simd::Op for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, first, sums } = self;
        let lagged = rows.get(first..).unwrap_or_default();
        let whole = lagged.len().saturating_sub(PASS - 1);
        let mut total = *sums;
        for (row, ahead) in rows.iter().zip(lagged.array_windows::<PASS>()) {
            for k in 0..PASS {
                for i in 0..LANES {
                    total[k][i] += row[i] * ahead[k][i];
                }
            }
        }
        for (t, row) in rows.iter().enumerate().take(lagged.len()).skip(whole) {
            for (total, ahead) in total.iter_mut().zip(&lagged[t..]) {
                for i in 0..LANES {
                    total[i] += row[i] * ahead[i];
                }
            }
        }
        *sums = total;
    }
}
