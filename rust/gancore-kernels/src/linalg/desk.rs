//! Where tasks have blocks of rows packed: each leaves its desk to the next, which may need the same block there, and
//! else the memory, for fresh memory would be cleared page by page each time.

use std::sync::{Mutex, PoisonError};

use super::product::{Factor, Packed};
use super::shifted::Shifted;
use crate::num::Real;

/// A block of each of two sides, tile by tile, and room for the product of two tiles.
#[derive(Debug, Default)]
pub struct Desk<P> {
    x: Held<P>,
    y: Held<P>,
    products: Vec<P>,
}

/// Tiles, and the number of the block that they are.
#[derive(Debug, Default)]
struct Held<P> {
    block: Option<usize>,
    tiles: Vec<Packed<P>>,
}

impl<P: Factor> Held<P> {
    fn hold<T: Real>(&mut self, rows: &Shifted<'_, T>, block: usize) {
        if self.block != Some(block) {
            rows.block(block, &mut self.tiles);
            self.block = Some(block);
        }
    }
}

impl<P: Factor> Desk<P> {
    /// From here on blocks are of other rows.
    pub fn forget(&mut self) {
        (self.x.block, self.y.block) = (None, None);
    }

    /// Tiles of a block of x and of one of y, by their numbers, and room for products; without y those of x twice.
    pub fn lay<T: Real>(
        &mut self,
        x: (&Shifted<'_, T>, usize),
        y: Option<(&Shifted<'_, T>, usize)>,
    ) -> (&[Packed<P>], &[Packed<P>], &mut Vec<P>) {
        self.x.hold(x.0, x.1);
        let Some((rows, block)) = y else { return (&self.x.tiles, &self.x.tiles, &mut self.products) };
        self.y.hold(rows, block);
        (&self.x.tiles, &self.y.tiles, &mut self.products)
    }
}

/// The desks of all tasks on pairs of blocks of the same two sides.
#[derive(Debug, Default)]
pub struct Desks<P>(Mutex<Vec<Desk<P>>>);

impl<P: Factor> Desks<P> {
    /// Run a task at a free desk, the one where block i of x lies if there is such a one.
    pub fn at<R>(&self, i: usize, task: impl FnOnce(&mut Desk<P>) -> R) -> R {
        let free = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = {
            let mut free = free();
            let at = free.iter().position(|desk| desk.x.block == Some(i)).or(free.len().checked_sub(1));
            at.map(|at| free.swap_remove(at))
        };
        let mut desk = taken.unwrap_or_default();
        let outcome = task(&mut desk);
        free().push(desk);
        outcome
    }
}
