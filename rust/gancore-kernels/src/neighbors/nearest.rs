//! Distances of each row to its nearest others.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bounds::{Bounds, scale};
use crate::error::{Error, Result};
use crate::linalg::desk::Desks;
use crate::linalg::rows::{self, Rows};
use crate::num::Real;
use crate::pool::{self, Interrupt};

/// Distances of each row to its k nearest others, ascending: n rows of k.
pub fn knn_distances<T: Real>(x: &[T], d: usize, k: usize, interrupt: &Interrupt) -> Result<Vec<f64>> {
    let rows = Rows::new("x", x, d, 2, interrupt)?;
    let n = rows.len();
    if k == 0 || k >= n {
        return Err(Error::domain(
            "k",
            format!("be from 1 to {}, one less than the rows", n - 1),
            k.to_string(),
        ));
    }
    let center = rows::center(&[&rows]);
    let bounds = Bounds::new(&rows, &center, scale(&[&rows]), interrupt)?;
    let states: Vec<Mutex<Vec<Nearest>>> = (0..bounds.rows.blocks())
        .map(|b| Mutex::new(bounds.rows.span(b).map(|_| Nearest::new(k)).collect()))
        .collect();
    let tasks: Vec<(usize, usize)> = (0..states.len()).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
    let desks = Desks::default();
    let done = pool::map_indexed(tasks.len(), 2, |task| {
        let (i, j) = tasks[task];
        let search = |state: &mut Nearest, own: usize, other: usize, bound: (f32, f32)| {
            state.offer(bound, other, || rows.squared_distance(own, &rows, other) * bounds.squared_scale());
        };
        bounds.tiles(i, (i != j).then_some((&bounds, j)), &desks, interrupt, |tile| {
            let at_row = tile.first_row - bounds.rows.span(i).start;
            let at_column = tile.first_column - bounds.rows.span(j).start;
            let mut state = lock(&states[i]);
            for r in 0..tile.row_low.len() {
                let own = &mut state[at_row + r];
                tile.look_along_row(r, own.threshold, |column, low, high| {
                    search(own, tile.first_row + r, tile.first_column + column, (low, high));
                    own.threshold
                });
            }
            // Each pair stands in one tile, in one order.
            if i != j {
                drop(state);
                state = lock(&states[j]);
            }
            let mut thresholds: Vec<f32> =
                state[at_column..at_column + tile.column_low.len()].iter().map(|s| s.threshold).collect();
            for r in 0..tile.row_low.len() {
                tile.look_across(r, &mut thresholds, |column, low, high| {
                    let own = &mut state[at_column + column];
                    search(own, tile.first_column + column, tile.first_row + r, (low, high));
                    own.threshold
                });
            }
            Ok(())
        })
    })?;
    done.into_iter().collect::<Result<()>>()?;
    let mut out = vec![0.0; n * k];
    let over = 1.0 / bounds.squared_scale();
    pool::for_each_chunk_mut(&mut out, bounds.rows.span(0).len() * k, |b, distances| {
        let (mut state, first) = (lock(&states[b]), bounds.rows.span(b).start);
        for (r, (own, distances)) in state.iter_mut().zip(distances.chunks_exact_mut(k)).enumerate() {
            interrupt.check()?;
            own.settle(|other| rows.squared_distance(first + r, &rows, other) * bounds.squared_scale());
            for (distance, &square) in distances.iter_mut().zip(&own.exact) {
                *distance = (square * over).sqrt();
            }
        }
        Ok(())
    })?;
    Ok(out)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The search of one row for its k nearest.
struct Nearest {
    k: usize,
    /// No pair of a higher lower bound can be among the k nearest.
    threshold: f32,
    /// The k lowest upper bounds, ascending.
    upper: Vec<f32>,
    /// Who may be among them, with lower bounds.
    candidates: Vec<(f32, usize)>,
    /// The k smallest squares among those computed, ascending.
    exact: Vec<f64>,
    room: usize,
}

impl Nearest {
    fn new(k: usize) -> Self {
        Self {
            k,
            threshold: f32::INFINITY,
            upper: Vec::new(),
            candidates: Vec::new(),
            exact: Vec::new(),
            room: 4 * k + 16,
        }
    }

    fn offer(&mut self, (low, high): (f32, f32), other: usize, exact: impl FnOnce() -> f64) {
        if self.room == 0 {
            // So many were alike that bounds do not pay: from here on each is computed.
            return self.take(exact());
        }
        self.candidates.push((low, other));
        let at = self.upper.partition_point(|&bound| bound <= high);
        if at < self.k {
            self.upper.truncate(self.k - 1);
            self.upper.insert(at, high);
            if self.upper.len() == self.k {
                self.threshold = self.threshold.min(self.upper[self.k - 1]);
            }
        }
        if self.candidates.len() >= self.room {
            let threshold = self.threshold;
            self.candidates.retain(|&(low, _)| low <= threshold);
            if self.candidates.len() > self.room / 2 {
                self.room = if self.room > 16 * self.k + 64 { 0 } else { 2 * self.room };
            }
        }
    }

    /// Take the square of one distance into account.
    fn take(&mut self, square: f64) {
        let at = self.exact.partition_point(|&s| s <= square);
        if at < self.k {
            self.exact.truncate(self.k - 1);
            self.exact.insert(at, square);
            if self.exact.len() == self.k {
                let last = self.exact[self.k - 1];
                // Nothing is nearer than 0.
                let bound = if last == 0.0 { f32::NEG_INFINITY } else { (last * (1.0 + 1e-6)) as f32 };
                self.threshold = self.threshold.min(bound);
            }
        }
    }

    /// Compute the squares of the candidates that are left.
    fn settle(&mut self, exact: impl Fn(usize) -> f64) {
        for (low, other) in std::mem::take(&mut self.candidates) {
            if low <= self.threshold {
                self.take(exact(other));
            }
        }
    }
}
