//! Counts in balls.

use std::sync::atomic::{AtomicI64, Ordering};

use super::bounds::{Bounds, scale};
use crate::error::{Error, Result};
use crate::linalg::desk::Desks;
use crate::linalg::rows::{self, Rows};
use crate::num::Real;
use crate::pool::{self, Interrupt};

/// Balls around each row of one side: families of radii, one after the other; a negative radius is an empty ball.
#[derive(Debug, Clone, Copy)]
pub struct Balls<'a, T> {
    /// Centres, row after row.
    pub centers: &'a [T],
    /// As many radii as centres, or a multiple.
    pub radii: &'a [f64],
}

/// Counts of one side against the other, family after family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// For each ball, how many rows of the other side lie in it.
    pub holds: Vec<i64>,
    /// For each row of the other side, in how many balls it lies.
    pub held: Vec<i64>,
}

/// Counts in closed balls around x of y, and around y of x, in one pass over all pairs.
pub fn ball_counts<T: Real>(
    x: Balls<'_, T>,
    y: Balls<'_, T>,
    d: usize,
    interrupt: &Interrupt,
) -> Result<(Counts, Counts)> {
    let x_rows = Rows::new("x", x.centers, d, 1, interrupt)?;
    let y_rows = Rows::new("y", y.centers, d, 1, interrupt)?;
    let center = rows::center(&[&x_rows, &y_rows]);
    let scale = scale(&[&x_rows, &y_rows]);
    let (xs, ys) =
        (Bounds::new(&x_rows, &center, scale, interrupt)?, Bounds::new(&y_rows, &center, scale, interrupt)?);
    let x_families = families("x_radii", x.radii, &xs, y_rows.len())?;
    let y_families = families("y_radii", y.radii, &ys, x_rows.len())?;
    let columns = ys.rows.blocks();
    let desks = Desks::default();
    let done = pool::map_indexed(xs.rows.blocks() * columns, 2, |task| {
        xs.tiles(task / columns, Some((&ys, task % columns)), &desks, interrupt, |tile| {
            interrupt.check()?;
            let exact =
                |r, c| x_rows.squared_distance(tile.first_row + r, &y_rows, tile.first_column + c).sqrt();
            for family in &x_families {
                for r in 0..tile.row_low.len() {
                    let ball = tile.first_row + r;
                    let surely_out = family.surely_out[ball];
                    tile.look_along_row(r, surely_out, |c, _, high| {
                        family.count(ball, tile.first_column + c, high, || exact(r, c));
                        surely_out
                    });
                }
            }
            for family in &y_families {
                let span = tile.first_column..tile.first_column + tile.column_low.len();
                let mut surely_out = family.surely_out[span].to_vec();
                for r in 0..tile.row_low.len() {
                    tile.look_across(r, &mut surely_out, |c, _, high| {
                        let ball = tile.first_column + c;
                        family.count(ball, tile.first_row + r, high, || exact(r, c));
                        family.surely_out[ball]
                    });
                }
            }
            Ok(())
        })
    })?;
    done.into_iter().collect::<Result<()>>()?;
    Ok((collect(x_families), collect(y_families)))
}

/// One radius for each ball, and what was counted.
struct Family<'a> {
    radii: &'a [f64],
    /// A pair whose square is certainly above this lies out; certainly below that, in.
    surely_out: Vec<f32>,
    surely_in: Vec<f32>,
    holds: Vec<AtomicI64>,
    held: Vec<AtomicI64>,
}

impl Family<'_> {
    fn count(&self, ball: usize, row: usize, high: f32, exact: impl Fn() -> f64) {
        if high < self.surely_in[ball] || exact() <= self.radii[ball] {
            self.holds[ball].fetch_add(1, Ordering::Relaxed);
            self.held[row].fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn families<'a, T: Real>(
    argument: &'static str,
    radii: &'a [f64],
    bounds: &Bounds<'_, T>,
    others: usize,
) -> Result<Vec<Family<'a>>> {
    let n = bounds.rows.len();
    if !radii.len().is_multiple_of(n) {
        return Err(Error::shape(argument, format!("{n} radii"), radii.len().to_string()));
    }
    if let Some(at) = radii.iter().position(|r| r.is_nan()) {
        return Err(Error::domain(argument, "not be nan", format!("nan at index {}", at % n)));
    }
    let zeros = |n| (0..n).map(|_| AtomicI64::new(0)).collect();
    let scaled = |r: f64, slack: f64| {
        if r < 0.0 { f32::NEG_INFINITY } else { (r * r * bounds.squared_scale() * slack) as f32 }
    };
    Ok(radii
        .chunks_exact(n)
        .map(|radii| Family {
            radii,
            surely_out: radii.iter().map(|&r| scaled(r, 1.0 + 1e-6)).collect(),
            surely_in: radii.iter().map(|&r| scaled(r, 1.0 - 1e-6)).collect(),
            holds: zeros(n),
            held: zeros(others),
        })
        .collect())
}

fn collect(families: Vec<Family<'_>>) -> Counts {
    let mut counts = Counts::default();
    for family in families {
        counts.holds.extend(family.holds.into_iter().map(AtomicI64::into_inner));
        counts.held.extend(family.held.into_iter().map(AtomicI64::into_inner));
    }
    counts
}
