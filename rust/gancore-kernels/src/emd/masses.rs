//! Masses as integers of exactly equal totals, perturbed against degeneracy.

use super::flow::{Flow, parts};
use crate::error::{Error, Result};
use crate::num;
use crate::simd;

/// Masses in units of 2^`unit`, of exactly equal totals.
pub struct Masses<F> {
    pub a: Vec<F>,
    pub b: Vec<F>,
    /// The integers count units of 2^unit.
    pub unit: i32,
    /// How many low bits the perturbation against degeneracy takes.
    pub bits: u32,
}

impl<F: Flow> Masses<F> {
    /// Integers for masses of almost equal totals, or `None` where `F` is too narrow.
    ///
    /// The lighter side is scaled up until the totals agree to the last unit. Then the integers are perturbed: each
    /// positive mass of `a` takes one unit of a 2^bits-th more, and the last positive mass of `b` takes all of these.
    /// No proper part of the rows then balances a part of the columns, so every flow in every spanning tree is
    /// positive and the simplex method cannot cycle (Charnes 1952). Rounding a flow takes the perturbation away.
    pub fn new(a: &[f64], b: &[f64]) -> Option<Self> {
        let positive = a.iter().filter(|&&mass| mass > 0.0).count() as u64;
        let bits = (2 * positive).ilog2() + 1;
        let total = a.iter().sum::<f64>().max(b.iter().sum());
        // The total stays below 2^(BITS - 1) after the perturbation.
        let top = parts(total).1 + 54 + 2;
        let unit = top - F::BITS + bits.cast_signed();
        let fits = a.iter().chain(b).filter(|&&mass| mass > 0.0).all(|&mass| {
            let (digits, exponent) = parts(mass);
            exponent + digits.trailing_zeros().cast_signed() >= unit
        });
        if !fits {
            return None;
        }
        let mut left: Vec<F> = a.iter().map(|&mass| F::new(mass, unit)).collect();
        let mut right: Vec<F> = b.iter().map(|&mass| F::new(mass, unit)).collect();
        let (total_a, total_b) = (sum(&left), sum(&right));
        if total_a < total_b {
            level(&mut left, a, total_a, total_b, unit);
        } else if total_b < total_a {
            level(&mut right, b, total_b, total_a, unit);
        }
        for mass in left.iter_mut().chain(&mut right) {
            *mass = mass.raised(bits);
        }
        left.iter_mut().filter(|mass| **mass > F::ZERO).for_each(|mass| *mass = mass.plus(F::count(1)));
        if let Some(last) = right.iter_mut().rev().find(|mass| **mass > F::ZERO) {
            *last = last.plus(F::count(positive));
        }
        Some(Self { a: left, b: right, unit, bits })
    }

    /// The flow without its perturbation, as a mass.
    pub fn mass(&self, flow: F) -> f64 {
        flow.plus(F::count(1 << (self.bits - 1))).lowered(self.bits).value(self.unit)
    }
}

fn sum<F: Flow>(masses: &[F]) -> F {
    masses.iter().fold(F::ZERO, |sum, &mass| sum.plus(mass))
}

/// Scale integers of a smaller total up to a larger one; the rounding goes to the largest of them.
fn level<F: Flow>(masses: &mut [F], floats: &[f64], small: F, large: F, unit: i32) {
    let share = large.minus(small).value(unit) / small.value(unit);
    for (mass, &float) in masses.iter_mut().zip(floats) {
        *mass = mass.plus(F::new(float * share, unit));
    }
    let reached = sum(masses);
    if let Some(largest) = masses.iter_mut().max() {
        *largest = largest.plus(large).minus(reached);
    }
}

/// Nodes are numbered by 32 bits.
const MOST: usize = 1 << 30;

/// Total of finite masses >= 0, at least one of them positive.
pub fn check(argument: &'static str, masses: &[f64]) -> Result<f64> {
    if masses.is_empty() {
        return Err(Error::shape(argument, "at least one mass", "none"));
    }
    if masses.len() > MOST {
        return Err(Error::shape(argument, format!("at most {MOST} masses"), masses.len().to_string()));
    }
    if let Some(index) = masses.iter().position(|mass| !(0.0..f64::INFINITY).contains(mass)) {
        return Err(Error::domain(
            argument,
            "have finite masses >= 0",
            format!("{} at index {index}", masses[index]),
        ));
    }
    let total = simd::dispatch(Sum(masses));
    if total == 0.0 || !total.is_finite() {
        return Err(Error::domain(argument, "have a positive, finite total mass", total.to_string()));
    }
    Ok(total)
}

struct Sum<'a>(&'a [f64]);

impl simd::Op for Sum<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        num::sum(self.0)
    }
}
