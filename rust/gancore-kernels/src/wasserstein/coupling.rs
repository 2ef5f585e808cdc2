//! The optimal coupling of two samples on the line, with the duals that prove it.
//!
//! The cells of the monotone coupling are a staircase; between two that touch at a corner alone a cell of mass 0 joins
//! them, so that the staircase spans all atoms. Potentials f, g with f_i + g_j = |x_i - y_j|^p on its cells then satisfy
//! f_i + g_j <= |x_i - y_j|^p on all others, for the cost of sorted points is a Monge matrix (Hoffman 1963).

use super::exact::Double;
use super::levels::{Masses, each_mass, each_step};
use super::order::{self, Place};
use super::{Samples, check_order};
use crate::error::{Error, Result};
use crate::num::Real;
use crate::pool::Interrupt;

/// An optimal coupling: at most n + m - 1 cells of positive mass, masses that sum to 1, and an optimal dual.
#[derive(Debug, Clone, PartialEq)]
pub struct Coupling {
    /// Where in `x` a cell's mass comes from.
    pub rows: Vec<i64>,
    /// Where in `y` it goes.
    pub cols: Vec<i64>,
    /// The mass of each cell.
    pub mass: Vec<f64>,
    /// Potential of each point of `x`.
    pub dual_x: Vec<f64>,
    /// Potential of each point of `y`.
    pub dual_y: Vec<f64>,
}

/// The monotone coupling of one row, optimal for every p, and its duals for the cost |x - y|^p, p in [1, inf).
pub fn coupling_1d<T: Real>(samples: Samples<'_, T>, p: f64, interrupt: &Interrupt) -> Result<Coupling> {
    check_order(p)?;
    if p == f64::INFINITY {
        return Err(Error::domain("p", "be finite, for its duals", "inf"));
    }
    samples.check()?;
    if samples.rows != 1 {
        return Err(Error::shape("x", "one row", samples.rows.to_string()));
    }
    let row = samples.row(0);
    let (x_unit, y_unit) = row.check_weights()?;
    let x = Side::new("x", row.x, row.x_weights, x_unit, interrupt)?;
    let y = Side::new("y", row.y, row.y_weights, y_unit, interrupt)?;
    let (n, m) = (x.points.len(), y.points.len());
    let mut walk = Walk {
        coupling: Coupling {
            rows: Vec::with_capacity(n + m),
            cols: Vec::with_capacity(n + m),
            mass: Vec::with_capacity(n + m),
            dual_x: vec![0.0; n],
            dual_y: vec![0.0; m],
        },
        at: None,
        dual: [Double::from(0.0); 2],
        p,
    };
    if row.x_weights.is_none() && row.y_weights.is_none() {
        let whole = n as f64 * m as f64;
        each_step(n, m, |i, j, width| walk.step(&x, &y, (i, j), width / whole));
    } else {
        let masses = Masses::new(&x.masses[..], &y.masses[..]);
        let whole = masses.total_x.high;
        each_mass(&masses, |i, j, mass| walk.step(&x, &y, (i, j), mass / whole));
    }
    let duals = walk.coupling.dual_x.iter().chain(&walk.coupling.dual_y);
    if duals.into_iter().any(|dual| !dual.is_finite()) {
        let expected = "be so small that the cost |x - y|^p does not overflow";
        return Err(Error::domain("p", expected, p.to_string()));
    }
    Ok(walk.coupling)
}

/// One sample in order.
struct Side {
    points: Vec<f64>,
    masses: Vec<f64>,
    original: Vec<usize>,
}

impl Side {
    fn new<T: Real>(
        argument: &'static str,
        points: &[T],
        weights: Option<&[T]>,
        unit: f64,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        order::survey(argument, points, Place { row: None })?;
        let mut items: Vec<(f64, usize)> =
            points.iter().enumerate().map(|(index, &point)| (point.into(), index)).collect();
        order::sort(&mut items, interrupt)?;
        let mass = |&(_, index): &(f64, usize)| weights.map_or(1.0, |weights| weights[index].into() * unit);
        let masses = items.iter().map(mass).collect();
        let (points, original) = items.into_iter().unzip();
        Ok(Self { points, masses, original })
    }
}

/// A walk down the staircase.
struct Walk {
    coupling: Coupling,
    at: Option<(usize, usize)>,
    /// Potentials of the atoms of x and of y at hand.
    dual: [Double; 2],
    p: f64,
}

impl Walk {
    fn step(&mut self, x: &Side, y: &Side, (i, j): (usize, usize), mass: f64) {
        let cost = |i: usize, j: usize| Double::from((x.points[i] - y.points[j]).abs().powf(self.p));
        match self.at {
            None => self.dual[1] = cost(0, 0),
            Some((above, left)) => {
                if left != j {
                    self.dual[1] = cost(above, j) - self.dual[0];
                }
                if above != i {
                    self.dual[0] = cost(i, j) - self.dual[1];
                }
            }
        }
        self.at = Some((i, j));
        self.coupling.dual_x[x.original[i]] = self.dual[0].high;
        self.coupling.dual_y[y.original[j]] = self.dual[1].high;
        if mass > 0.0 {
            self.coupling.rows.push(x.original[i].cast_signed() as i64);
            self.coupling.cols.push(y.original[j].cast_signed() as i64);
            self.coupling.mass.push(mass);
        }
    }
}
