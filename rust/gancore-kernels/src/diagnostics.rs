//! Convergence diagnostics of many chains: split and nested R-hat, effective sample size.
//!
//! Each of m chains is split in two; of the M = 2m halves, n steps each, with means t_c and unbiased variances s_c^2,
//!
//! ```text
//! W = mean of s_c^2,  B/n = unbiased variance of t_c,  var+ = (n - 1)/n W + B/n
//! R-hat = sqrt(var+ / W)                                                Vehtari et al. 2021, eq. 1-4
//! rho_t = 1 - (W - mean over c of s_c^2 rho_{t,c}) / var+               eq. 10
//! ESS   = M n / (-1 + 2 sum_t rho_t)                                    eq. 11-13, summed as in `ess.rs`
//! ```
//!
//! Vehtari, Gelman, Simpson, Carpenter and Bürkner, *Rank-normalization, folding, and localization: an improved R-hat*
//! (Bayesian Analysis 16, 2021). For many short chains, K superchains of M chains that start at one point each,
//!
//! ```text
//! nested R-hat = sqrt(1 + B/W),  B = unbiased variance of the means of superchains
//! W = mean over superchains of (unbiased variance of its chains' means + mean of its chains' unbiased variances)
//! ```
//!
//! Margossian, Hoffman, Sountsov, Riou-Durand, Vehtari and Gelman, *Nested R-hat: assessing the convergence of Markov
//! chain Monte Carlo when running many short chains* (Bayesian Analysis, 2024), section 2.
//!
//! Draws stand as (chains, steps, dims); each coordinate is a quantity of its own. Draws that do not vary have no
//! diagnostics: nan; R-hat is infinite where chains are stuck at different places.

mod ess;
mod fourier;
mod series;

pub use ess::effective_sample_size;

use crate::error::{Error, Result};
use crate::num::{Compensated, Real};
use crate::pool::{self, Interrupt};
use crate::simd::LANES;
use series::{Panel, Summary};

/// Draws of chains: `values[(chain * steps + step) * dims + coordinate]`.
#[derive(Debug, Clone, Copy)]
pub struct Draws<'a, T> {
    /// The numbers, all of them finite.
    pub values: &'a [T],
    /// How many chains.
    pub chains: usize,
    /// How many steps each took.
    pub steps: usize,
    /// How many quantities are looked at.
    pub dims: usize,
}

impl<T: Real> Draws<'_, T> {
    fn check(&self, least_steps: usize) -> Result<()> {
        let Self { chains, steps, dims, .. } = *self;
        if chains == 0 || steps < least_steps || self.values.len() != chains * steps * dims {
            return Err(Error::shape(
                "draws",
                format!("shape (chains, steps, ...) with at least 1 chain of {least_steps} steps"),
                format!("{chains} chains of {steps} steps"),
            ));
        }
        match self.values.iter().position(|&value| !value.into().is_finite()) {
            None => Ok(()),
            Some(at) => {
                let (value, row, quantity): (f64, _, _) = (self.values[at].into(), at / dims, at % dims);
                let place =
                    format!("{value} in chain {}, step {}, quantity {quantity}", row / steps, row % steps);
                Err(Error::domain("draws", "be finite", place))
            }
        }
    }
}

/// Split R-hat of each quantity; at least 4 steps.
pub fn r_hat<T: Real>(draws: Draws<'_, T>, interrupt: &Interrupt) -> Result<Vec<f64>> {
    draws.check(4)?;
    let half = draws.steps / 2;
    for_panels(draws.dims, interrupt, |panel| {
        let mut spreads = [Spread::default(); LANES];
        for start in [0, draws.steps - half] {
            panel.for_series(draws, start, half, interrupt, |_, lane, series| {
                spreads[lane].add(series);
            })?;
        }
        Ok(spreads.map(|spread| {
            let (within, between) = spread.variances();
            let n = half as f64;
            (((n - 1.0) / n * within + between) / within).sqrt()
        }))
    })
}

/// Nested R-hat of each quantity, where `superchains` groups of consecutive chains started at one point each; at
/// least two groups, and two chains or steps in each.
pub fn nested_r_hat<T: Real>(
    draws: Draws<'_, T>,
    superchains: usize,
    interrupt: &Interrupt,
) -> Result<Vec<f64>> {
    draws.check(1)?;
    if superchains < 2 || !draws.chains.is_multiple_of(superchains) {
        return Err(Error::domain(
            "superchains",
            format!("be at least 2 and divide the number of chains, {}", draws.chains),
            superchains.to_string(),
        ));
    }
    let members = draws.chains / superchains;
    if members == 1 && draws.steps == 1 {
        return Err(Error::shape("draws", "two chains or two steps in each superchain", "one of each"));
    }
    for_panels(draws.dims, interrupt, |panel| {
        let mut outer = vec![[Spread::default(); LANES]; superchains];
        panel.for_series(draws, 0, draws.steps, interrupt, |chain, lane, series| {
            outer[chain / members][lane].add(series);
        })?;
        let mut ratios = [f64::NAN; LANES];
        for (lane, ratio) in ratios.iter_mut().enumerate() {
            let mut total = Spread::default();
            for inner in &outer {
                let (within, between) = inner[lane].variances();
                total.add(Summary { mean: inner[lane].mean(), variance: within + between });
            }
            let (within, between) = total.variances();
            *ratio = (1.0 + between / within).sqrt();
        }
        Ok(ratios)
    })
}

/// Means and variances of several series, gathered.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    count: f64,
    origin: f64,
    means: Compensated,
    squares: Compensated,
    variances: Compensated,
}

impl Spread {
    fn add(&mut self, series: Summary) {
        if self.count == 0.0 {
            self.origin = series.mean;
        }
        // Differences from one of the means keep the digits that a common offset would take.
        let from_origin = series.mean - self.origin;
        self.count += 1.0;
        self.means.add(from_origin);
        self.squares.add(from_origin * from_origin);
        self.variances.add(series.variance);
    }

    fn mean(&self) -> f64 {
        self.origin + self.means.value() / self.count
    }

    /// Mean of the variances, and unbiased variance of the means (0 of a single one).
    fn variances(&self) -> (f64, f64) {
        let within = self.variances.value() / self.count;
        let mean = self.means.value() / self.count;
        let scatter = (self.squares.value() - self.count * mean * mean).max(0.0);
        (within, if self.count > 1.0 { scatter / (self.count - 1.0) } else { 0.0 })
    }
}

/// What `of` says about each panel of quantities, quantity after quantity.
fn for_panels(
    dims: usize,
    interrupt: &Interrupt,
    of: impl Fn(Panel) -> Result<[f64; LANES]> + Sync + Send,
) -> Result<Vec<f64>> {
    let panels = Panel::cover(dims);
    let values = pool::map_indexed(panels.len(), 2, |i| {
        interrupt.check()?;
        of(panels[i])
    })?;
    let mut out = Vec::with_capacity(dims);
    for (panel, values) in panels.iter().zip(values) {
        out.extend_from_slice(&values?[..panel.width]);
    }
    Ok(out)
}
