//! What is common to all pairs and all subsets of two samples, and the sums that a discrepancy is made of.

use super::Samples;
use super::kernel::{self, Kernel, Polynomial, RationalQuadratic, Rbf, Value};
use super::pairs::{self, Side};
use crate::error::{Error, Result};
use crate::linalg::desk::Desk;
use crate::linalg::product::Factor;
use crate::linalg::rows::{self, Rows};
use crate::linalg::shifted::Shifted;
use crate::num::Compensated;
use crate::pool::Interrupt;

/// Sums of the kernel within one sample: over other samples for each, its squares, and the diagonal's.
#[derive(Debug, Clone, Default)]
pub(super) struct Within {
    /// For each i the sum over j != i.
    pub rows: Vec<f64>,
    /// Over i != j.
    pub squares: f64,
    /// Over i = j.
    pub diagonal: f64,
}

/// Sums of the kernel over the pairs of two samples.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    pub x: Within,
    pub y: Within,
    /// For each x the sum over y.
    pub x_rows: Vec<f64>,
    /// For each y the sum over x.
    pub y_rows: Vec<f64>,
    /// Squares over all pairs.
    pub squares: f64,
}

impl Sums {
    pub fn mmd2(&self, unbiased: bool) -> f64 {
        let mean = |within: &Within| {
            let (n, off) = (within.rows.len() as f64, total(&within.rows));
            if unbiased { off / (n * (n - 1.0)) } else { (off + within.diagonal) / (n * n) }
        };
        let pairs = self.x_rows.len() as f64 * self.y_rows.len() as f64;
        mean(&self.x) + mean(&self.y) - 2.0 * total(&self.x_rows) / pairs
    }
}

pub(super) fn total(values: &[f64]) -> f64 {
    let mut sum = Compensated::default();
    for &value in values {
        sum.add(value);
    }
    sum.value()
}

/// Desks for products of either type.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    single: Desk<f32>,
    double: Desk<f64>,
}

/// Of each row of a sample: what a product with it leaves out, and the square of its length from the centre.
#[derive(Debug, Default)]
pub(super) struct Measures {
    pub terms: Vec<f64>,
    pub squares: Vec<f64>,
}

/// Samples checked and measured: what is common to all pairs and all subsets.
pub(super) struct Problem<'a, T> {
    pub x: Rows<'a, T>,
    pub y: Rows<'a, T>,
    kernel: &'a Kernel,
    center: Vec<f64>,
    x_measures: Measures,
    y_measures: Measures,
    /// Subtracted from the kernel.
    constant: f64,
    /// Whether float32 products are accurate enough.
    single: bool,
}

impl<'a, T: Factor> Problem<'a, T> {
    pub fn new(samples: &Samples<'a, T>, interrupt: &Interrupt) -> Result<Self> {
        let (d, kernel) = (samples.d, samples.kernel);
        kernel.check()?;
        let least = if samples.unbiased { 2 } else { 1 };
        let x = Rows::new("x", samples.x, d, least, interrupt)?;
        let y = Rows::new("y", samples.y, d, least, interrupt)?;
        let center = rows::center(&[&x, &y]);
        let middle: f64 = center.iter().map(|c| c * c).sum();
        let measures = |rows: &Rows<'_, T>| -> Result<Measures> {
            let shifted = Shifted { rows, center: &center, scale: 1.0, chosen: None };
            let (squares, projections): (Vec<f64>, Vec<f64>) =
                shifted.squares_and_projections(interrupt)?.into_iter().unzip();
            let terms = match kernel {
                Kernel::Polynomial { gamma, coef0, .. } => {
                    projections.into_iter().map(|p| gamma * (p - 0.5 * middle) + 0.5 * coef0).collect()
                }
                _ => squares.clone(),
            };
            Ok(Measures { terms, squares })
        };
        let (x_measures, y_measures) = (measures(&x)?, measures(&y)?);
        let constant = match kernel {
            Kernel::Polynomial { degree, gamma, coef0 } => kernel::power(gamma * middle + coef0, *degree),
            _ => 0.0,
        };
        // Beyond these sizes products of float32 would overflow, or vanish.
        let largest = x.largest.max(y.largest);
        let single = T::UNIT > f64::UNIT
            && matches!(kernel, Kernel::Polynomial { .. })
            && largest < 1e15
            && largest > 1e-12;
        Ok(Self { x, y, kernel, center, x_measures, y_measures, constant, single })
    }

    pub fn finite(&self, value: f64) -> Result<f64> {
        if value.is_finite() {
            return Ok(value);
        }
        let largest = self.x.largest.max(self.y.largest);
        Err(Error::domain("x", "have finite kernel values with `y`", format!("features up to {largest:e}")))
    }

    /// Sums over all rows, or over chosen ones of each sample; `few` asks for float64 products.
    pub fn sums(
        &self,
        chosen: Option<[&[usize]; 2]>,
        few: bool,
        rooms: &mut Rooms,
        interrupt: &Interrupt,
    ) -> Result<Sums> {
        if self.single && !few {
            self.sums_of(chosen, &mut rooms.single, interrupt)
        } else {
            self.sums_of(chosen, &mut rooms.double, interrupt)
        }
    }

    fn sums_of<P: Factor>(
        &self,
        chosen: Option<[&[usize]; 2]>,
        desk: &mut Desk<P>,
        interrupt: &Interrupt,
    ) -> Result<Sums> {
        match self.kernel {
            Kernel::Polynomial { degree, gamma, .. } => {
                let kernel = Polynomial { degree: *degree, gamma: *gamma, constant: self.constant };
                self.all_pairs(chosen, kernel, desk, interrupt)
            }
            Kernel::Rbf(bandwidths) => {
                let rates: Vec<f64> = bandwidths.iter().map(|s| -0.5 / (s * s)).collect();
                self.all_pairs(chosen, Rbf(&rates), desk, interrupt)
            }
            Kernel::RationalQuadratic(exponents) => {
                self.all_pairs(chosen, RationalQuadratic(exponents), desk, interrupt)
            }
        }
    }

    fn all_pairs<P: Factor, K: Value>(
        &self,
        chosen: Option<[&[usize]; 2]>,
        kernel: K,
        desk: &mut Desk<P>,
        interrupt: &Interrupt,
    ) -> Result<Sums> {
        let side = |rows, measures, chosen| Side {
            rows: Shifted { rows, center: &self.center, scale: 1.0, chosen },
            measures,
            kernel,
        };
        let x = side(&self.x, &self.x_measures, chosen.map(|c| c[0]));
        let y = side(&self.y, &self.y_measures, chosen.map(|c| c[1]));
        pairs::all(&x, &y, desk, interrupt)
    }
}
