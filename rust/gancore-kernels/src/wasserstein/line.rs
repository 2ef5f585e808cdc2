//! W_p and the Cramér distance of one row.

use std::marker::PhantomData;

use super::exact::Double;
use super::levels::{Masses, each_mass, each_step};
use super::order::{self, Item, Place};
use super::{Row, TOTAL_TOLERANCE};
use crate::error::{Error, Result};
use crate::num::{self, Compensated, Map2, Real};
use crate::pool::{self, Interrupt};
use crate::simd;

/// Two samples in order.
pub(super) enum Atoms {
    /// Points that all weigh the same.
    Alike { x: Vec<f64>, y: Vec<f64> },
    /// Points and their masses, each side's up to a power of two that leaves no product of them out of range.
    Weighted { x: Vec<(f64, f64)>, y: Vec<(f64, f64)> },
}

impl<T: Real> Row<'_, T> {
    /// Check and sort both samples, side by side unless `serial`.
    pub fn atoms(&self, serial: bool, interrupt: &Interrupt) -> Result<Atoms> {
        let serial_below = if serial { usize::MAX } else { 2 };
        if self.x_weights.is_none() && self.y_weights.is_none() {
            let sides = pool::map_indexed(2, serial_below, |side| {
                let (argument, points) = if side == 0 { ("x", self.x) } else { ("y", self.y) };
                order::sorted(argument, points, self.place, interrupt)
            })?;
            let [x, y] = pair(sides)?;
            return Ok(Atoms::Alike { x, y });
        }
        let (x_unit, y_unit) = self.check_weights()?;
        let sides = pool::map_indexed(2, serial_below, |side| {
            if side == 0 {
                weighted("x", self.x, self.x_weights, x_unit, self.place, interrupt)
            } else {
                weighted("y", self.y, self.y_weights, y_unit, self.place, interrupt)
            }
        })?;
        let [x, y] = pair(sides)?;
        Ok(Atoms::Weighted { x, y })
    }

    /// Refuse weights that are none, or unequal totals; the powers of two that the weights are to be multiplied by.
    pub fn check_weights(&self) -> Result<(f64, f64)> {
        let side = |argument, weights: Option<&[T]>| {
            weights.map(|weights| order::check_weights(argument, weights, self.place)).transpose()
        };
        let (x, y) = (side("x_weights", self.x_weights)?, side("y_weights", self.y_weights)?);
        if let (Some(x), Some(y)) = (x, y)
            && (x - y).abs() > TOTAL_TOLERANCE * x.max(y)
        {
            let expected = format!("have the total of `x_weights`, {x}");
            return Err(Error::domain("y_weights", expected, format!("{y}{}", self.place.row())));
        }
        let unit = |total: Option<f64>| {
            let power = f64::from_bits(total.unwrap_or(1.0).to_bits() & 0x7ff0_0000_0000_0000);
            1.0 / power.max(f64::MIN_POSITIVE)
        };
        Ok((unit(x), unit(y)))
    }
}

/// Both results of two tasks.
pub(super) fn pair<A>(sides: Vec<Result<A>>) -> Result<[A; 2]> {
    let both: Vec<A> = sides.into_iter().collect::<Result<_>>()?;
    both.try_into().map_err(|_| Error::Backend("two samples must give two orders".into()))
}

/// The atoms of positive weight in order; without weights each has mass 1.
fn weighted<T: Real>(
    argument: &'static str,
    points: &[T],
    weights: Option<&[T]>,
    unit: f64,
    place: Place,
    interrupt: &Interrupt,
) -> Result<Vec<(f64, f64)>> {
    let ascending = order::survey(argument, points, place)?;
    let mut items: Vec<(f64, f64)> = match weights {
        None => points.iter().map(|&point| (point.into(), 1.0)).collect(),
        Some(weights) => {
            points.iter().zip(weights).map(|(&point, &weight)| (point.into(), weight.into() * unit)).collect()
        }
    };
    items.retain(|&(_, mass)| mass > 0.0);
    if !ascending {
        order::sort(&mut items, interrupt)?;
    }
    Ok(items)
}

/// W_p, for p in [1, inf].
pub(super) fn wasserstein(atoms: &Atoms, p: f64) -> f64 {
    let (low, high) = atoms.range();
    // Halved points cannot overflow in a difference; they are only where they must be, for halving rounds subnormals.
    if (high - low).is_finite() { of_sorted(atoms, p) } else { 2.0 * of_sorted(&atoms.halved(), p) }
}

fn of_sorted(atoms: &Atoms, p: f64) -> f64 {
    if p == 1.0 {
        return atoms.mean::<Identity>(1.0, p);
    }
    let largest = atoms.largest(p);
    if p == f64::INFINITY || largest == 0.0 {
        largest
    } else if p == 2.0 {
        largest * atoms.mean::<Square>(largest, p).sqrt()
    } else {
        largest * atoms.mean::<Power>(largest, p).powf(1.0 / p)
    }
}

impl Atoms {
    /// The least and the greatest point.
    fn range(&self) -> (f64, f64) {
        fn ends<I: Item>(x: &[I], y: &[I]) -> (f64, f64) {
            let (x_last, y_last) = (x[x.len() - 1].point(), y[y.len() - 1].point());
            (x[0].point().min(y[0].point()), x_last.max(y_last))
        }
        match self {
            Self::Alike { x, y } => ends(x, y),
            Self::Weighted { x, y } => ends(x, y),
        }
    }

    fn halved(&self) -> Self {
        let points = |points: &[f64]| points.iter().map(|point| 0.5 * point).collect();
        let atoms = |atoms: &[(f64, f64)]| atoms.iter().map(|(point, mass)| (0.5 * point, *mass)).collect();
        match self {
            Self::Alike { x, y } => Self::Alike { x: points(x), y: points(y) },
            Self::Weighted { x, y } => Self::Weighted { x: atoms(x), y: atoms(y) },
        }
    }

    /// The largest difference in a cell of the monotone coupling.
    fn largest(&self, p: f64) -> f64 {
        let mut largest = 0.0_f64;
        match self {
            Self::Alike { x, y } if x.len() == y.len() => return simd::dispatch(Largest { x, y }),
            Self::Alike { x, y } => {
                each_step(x.len(), y.len(), |i, j, _| largest = largest.max((x[i] - y[j]).abs()));
            }
            Self::Weighted { x, y } => {
                let masses = Masses::new(&x[..], &y[..]);
                // W_inf alone sees how far a cell reaches, not how wide it is: one narrower than a rounding of the
                // weights, and far narrower than its atoms, comes of that rounding.
                let rounding =
                    if p == f64::INFINITY { 4.0 * f64::EPSILON * masses.total_x.high } else { 0.0 };
                let ratio = masses.ratio().high;
                each_mass(&masses, |i, j, mass| {
                    if mass > 0.0 && (mass > rounding || mass > 1e-6 * x[i].1.min(ratio * y[j].1)) {
                        largest = largest.max((x[i].0 - y[j].0).abs());
                    }
                });
            }
        }
        largest
    }

    /// Mean over the levels of the cost of (x - y) / scale.
    fn mean<C: Cost>(&self, scale: f64, p: f64) -> f64 {
        let term = Term { scale, p, cost: PhantomData::<C> };
        let mut sum = Compensated::default();
        match self {
            Self::Alike { x, y } if x.len() == y.len() => simd::dispatch(Sum { x, y, term }) / x.len() as f64,
            Self::Alike { x, y } => {
                each_step(x.len(), y.len(), |i, j, width| sum.add(width * term.map(x[i], y[j])));
                sum.value() / (x.len() as f64 * y.len() as f64)
            }
            Self::Weighted { x, y } => {
                let masses = Masses::new(&x[..], &y[..]);
                each_mass(&masses, |i, j, mass| sum.add(mass * term.map(x[i].0, y[j].0)));
                sum.value() / masses.total_x.high
            }
        }
    }
}

struct Largest<'a> {
    x: &'a [f64],
    y: &'a [f64],
}

impl simd::Op for Largest<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut stripes = [0.0_f64; simd::LANES];
        let (x, rest_x) = self.x.as_chunks::<{ simd::LANES }>();
        let (y, rest_y) = self.y.as_chunks::<{ simd::LANES }>();
        for (x, y) in x.iter().zip(y) {
            for ((stripe, x), y) in stripes.iter_mut().zip(x).zip(y) {
                *stripe = stripe.max((x - y).abs());
            }
        }
        let rest = rest_x.iter().zip(rest_y).map(|(x, y)| (x - y).abs());
        stripes.into_iter().chain(rest).fold(0.0, f64::max)
    }
}

/// A power of a difference that lies in [0, 1], or its first power.
trait Cost: Send + Sync {
    fn cost(difference: f64, p: f64) -> f64;
}

struct Identity;

impl Cost for Identity {
    #[inline(always)]
    fn cost(difference: f64, _: f64) -> f64 {
        difference.abs()
    }
}

struct Square;

impl Cost for Square {
    #[inline(always)]
    fn cost(difference: f64, _: f64) -> f64 {
        difference * difference
    }
}

struct Power;

impl Cost for Power {
    #[inline(always)]
    fn cost(difference: f64, p: f64) -> f64 {
        difference.abs().powf(p)
    }
}

struct Term<C> {
    scale: f64,
    p: f64,
    cost: PhantomData<C>,
}

impl<C: Cost> Map2<f64, f64> for Term<C> {
    #[inline(always)]
    fn map(&self, x: f64, y: f64) -> f64 {
        C::cost((x - y) / self.scale, self.p)
    }
}

struct Sum<'a, C> {
    x: &'a [f64],
    y: &'a [f64],
    term: Term<C>,
}

impl<C: Cost> simd::Op for Sum<'_, C> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        num::sum_map2(self.x, self.y, &self.term)
    }
}

/// The Cramér distance.
pub(super) fn cramer(atoms: &Atoms) -> f64 {
    let (low, high) = atoms.range();
    // Heights lie in [-1, 1], so nothing but a gap between points can overflow.
    let unit = if (high - low).is_finite() { 1.0 } else { 0.5 };
    let mut sum = Compensated::default();
    match atoms {
        Atoms::Alike { x, y } => {
            let (up, down) = (y.len() as i128, x.len() as i128);
            let whole = x.len() as f64 * y.len() as f64;
            let visit = |height: i128, gap: f64| {
                let height = height as f64 / whole;
                sum.add(height * height * gap);
            };
            each_gap(x, y, unit, (|height, _| height + up, |height, _| height - down), visit);
        }
        Atoms::Weighted { x, y } => {
            let masses = Masses::new(&x[..], &y[..]);
            let ratio = masses.ratio();
            let visit = |height: Double, gap: f64| {
                let height = height.high / masses.total_x.high;
                sum.add(height * height * gap);
            };
            let up = |height: Double, i: usize| height + x[i].1;
            let down = |height: Double, j: usize| height - ratio * y[j].1;
            each_gap(x, y, unit, (up, down), visit);
        }
    }
    sum.value().sqrt() / unit.sqrt()
}

/// Call `visit(F - G, gap)` for each gap between points, given how a point of x or of y changes the height F - G.
fn each_gap<H: Copy + Default, I: Item>(
    x: &[I],
    y: &[I],
    unit: f64,
    (up, down): (impl Fn(H, usize) -> H, impl Fn(H, usize) -> H),
    mut visit: impl FnMut(H, f64),
) {
    let (mut i, mut j, mut height) = (0, 0, H::default());
    let mut at = x[0].point().min(y[0].point());
    while i < x.len() || j < y.len() {
        let from_x = j == y.len() || (i < x.len() && x[i].point() <= y[j].point());
        let next = if from_x { x[i].point() } else { y[j].point() };
        if next > at {
            visit(height, unit * next - unit * at);
            at = next;
        }
        if from_x {
            height = up(height, i);
            i += 1;
        } else {
            height = down(height, j);
            j += 1;
        }
    }
}
