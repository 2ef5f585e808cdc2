//! Exact optimal transport on the line and on the circle, and the distances that are built of it.
//!
//! On the line the optimal coupling is monotone, so with quantile functions F^-1 and G^-1
//!
//! ```text
//! W_p(x, y)^p = integral over u in (0, 1) of |F^-1(u) - G^-1(u)|^p      Villani 2003, theorem 2.18
//! Cramér(x, y)^2 = integral over t of (F(t) - G(t))^2                   Székely and Rizzo 2013, eq. 1
//! energy(x, y)^2 = 2 E|X - Y| - E|X - X'| - E|Y - Y'| = 2 Cramér^2 on the line
//! ```
//!
//! Both quantile functions are steps. For samples without weights the widths of the common steps are integers, in units
//! of 1/(n m); for weighted ones what is left of the masses at hand is kept in two doubles. So no level is rounded, and
//! no step appears that is as narrow as a rounding error: W_inf would see it. Differences are divided by the largest of
//! them before they are raised to the power p, so no p overflows or underflows. W_inf is the largest difference.
//!
//! | file | what |
//! |---|---|
//! | `order` | checks, sorting |
//! | `exact`, `levels` | sums in two doubles, common steps |
//! | `line` | W_p and Cramér distance of a row |
//! | `areas` | W_1 of long weighted samples, by one sort |
//! | `coupling` | the coupling itself, with duals |
//! | `circle` | W_p on the circle |
//! | `sliced` | sliced and max-sliced distances |
//! | `energy` | energy distance in any dimension |

mod areas;
mod circle;
mod coupling;
mod energy;
mod exact;
mod levels;
mod line;
mod order;
mod sliced;

pub use coupling::{Coupling, coupling_1d};
pub use energy::energy_distance;
pub use sliced::{Clouds, MaxSliced, max_sliced_wasserstein, sliced_wasserstein};

use crate::error::{Error, Result};
use crate::num::Real;
use crate::pool::{self, Interrupt};

/// How far two totals of weights may be apart, relatively; what is less is taken for rounding and scaled away.
pub const TOTAL_TOLERANCE: f64 = 1e-5;

/// Rows of samples of two distributions.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a, T> {
    /// Points of the first argument, row after row.
    pub x: &'a [T],
    /// Points of the second argument, row after row.
    pub y: &'a [T],
    /// Weights of `x`; without, all points weigh the same.
    pub x_weights: Option<&'a [T]>,
    /// Weights of `y`; without, all points weigh the same.
    pub y_weights: Option<&'a [T]>,
    /// How many points a row of `x` has.
    pub n: usize,
    /// How many points a row of `y` has.
    pub m: usize,
    /// How many rows there are.
    pub rows: usize,
}

/// W_p of each row on the line, for p in [1, inf].
pub fn wasserstein_1d<T: Real>(samples: Samples<'_, T>, p: f64, interrupt: &Interrupt) -> Result<Vec<f64>> {
    check_order(p)?;
    each_row(samples, |row, serial| {
        if p == 1.0
            && let Some(area) = areas::wasserstein(&row, serial, interrupt)?
        {
            return Ok(area);
        }
        Ok(line::wasserstein(&row.atoms(serial, interrupt)?, p))
    })
}

/// Cramér distance of each row: the root of the integral of (F - G)^2.
pub fn cramer_distance<T: Real>(samples: Samples<'_, T>, interrupt: &Interrupt) -> Result<Vec<f64>> {
    each_row(samples, |row, serial| Ok(line::cramer(&row.atoms(serial, interrupt)?)))
}

/// W_p of each row on a circle of the circumference `period`, for p in [1, inf].
pub fn wasserstein_circle<T: Real>(
    samples: Samples<'_, T>,
    p: f64,
    period: f64,
    interrupt: &Interrupt,
) -> Result<Vec<f64>> {
    check_order(p)?;
    if !(period > 0.0 && period < f64::INFINITY) {
        return Err(Error::domain("period", "be finite and positive", period.to_string()));
    }
    each_row(samples, |row, _| circle::wasserstein(&row, p, period, interrupt))
}

fn check_order(p: f64) -> Result<()> {
    if p >= 1.0 { Ok(()) } else { Err(Error::domain("p", "be at least 1", p.to_string())) }
}

/// One row of samples.
struct Row<'a, T> {
    x: &'a [T],
    y: &'a [T],
    x_weights: Option<&'a [T]>,
    y_weights: Option<&'a [T]>,
    place: order::Place,
}

impl<T: Real> Samples<'_, T> {
    fn check(&self) -> Result<()> {
        let sides = [
            ("x", "x_weights", self.x, self.x_weights, self.n),
            ("y", "y_weights", self.y, self.y_weights, self.m),
        ];
        for (argument, weights_argument, points, weights, width) in sides {
            if width == 0 {
                return Err(Error::shape(argument, "at least one point on the last axis", "none"));
            }
            let expected = self.rows * width;
            if points.len() != expected {
                return Err(Error::shape(argument, format!("{expected} points"), points.len().to_string()));
            }
            if let Some(weights) = weights
                && weights.len() != expected
            {
                let got = weights.len().to_string();
                return Err(Error::shape(weights_argument, format!("{expected} weights"), got));
            }
        }
        Ok(())
    }

    fn row(&self, row: usize) -> Row<'_, T> {
        let (of_x, of_y) = (row * self.n..(row + 1) * self.n, row * self.m..(row + 1) * self.m);
        Row {
            x: &self.x[of_x.clone()],
            y: &self.y[of_y.clone()],
            x_weights: self.x_weights.map(|weights| &weights[of_x]),
            y_weights: self.y_weights.map(|weights| &weights[of_y]),
            place: order::Place { row: (self.rows > 1).then_some(row) },
        }
    }
}

/// Answer row by row. A row among many is a task's own, `serial`; one alone may use the pool itself.
fn each_row<T: Real>(
    samples: Samples<'_, T>,
    answer: impl Fn(Row<'_, T>, bool) -> Result<f64> + Sync + Send,
) -> Result<Vec<f64>> {
    samples.check()?;
    if samples.rows == 1 {
        return Ok(vec![answer(samples.row(0), false)?]);
    }
    let mut out = vec![0.0; samples.rows];
    // Sorting a row takes long enough to pay for a task from some hundred points on.
    let per_task = (1 << 12) / (samples.n + samples.m) + 1;
    pool::for_each_chunk_mut(&mut out, per_task, |task, values| {
        for (i, value) in values.iter_mut().enumerate() {
            *value = answer(samples.row(task * per_task + i), true)?;
        }
        Ok(())
    })?;
    Ok(out)
}
