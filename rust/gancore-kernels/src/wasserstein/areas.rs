//! W_1 of weighted samples as the area between their distribution functions, with a bound on its rounding.
//!
//! ```text
//! W_1(x, y) = integral over t of |F(t) - G(t)|                                Vallender 1974
//! ```
//!
//! One sort of all points, masses of y taken negative, replaces two sorts and a walk through the common steps. Points are
//! dealt by value into parts that fit the nearest caches; each part is dealt again, so finely that insertion ends it.
//!
//! A height F - G is kept as A + R: each mass is split at 2^-49 (Zielke and Drygalla 2003), the upper parts add up
//! without rounding in A, and what R loses is less than a rounding of R each time. So the error is bounded by
//! (n + m) 2^-52 max|R| times the range of the points. Where that is not below a quarter of a rounding of the answer
//! (samples that all but agree, or a far atom of next to no mass) there is no answer, and the walk through the steps
//! has the word.

use super::Row;
use super::exact::{Double, total};
use super::order::{self, Extent};
use crate::error::Result;
use crate::num::{Compensated, Real};
use crate::pool::{self, Interrupt};
use crate::simd::LANES;

/// Points of fewer are sooner walked through than dealt.
const WORTH: usize = 256;

/// Points of a part on average, and the most parts.
const PART: usize = 256;
const PARTS: usize = 1024;

/// A part of more points is sorted by a way that knows skewed samples.
const LARGE: usize = 1 << 15;

/// Parts sorted by one task.
const TOGETHER: usize = 16;

/// Up to this many points may share a bucket.
const FEW: usize = 24;

/// Adding and subtracting it cuts a mass of magnitude below 4 at 2^-49.
const CUT: f64 = 12.0;

/// A point, and its mass: negative for a point of y.
type Atom = (f64, f64);

/// W_1, if it is certain to all but a few roundings.
pub(super) fn wasserstein<T: Real>(
    row: &Row<'_, T>,
    serial: bool,
    interrupt: &Interrupt,
) -> Result<Option<f64>> {
    let count = row.x.len() + row.y.len();
    if count < WORTH || (row.x_weights.is_none() && row.y_weights.is_none()) || u32::try_from(count).is_err()
    {
        return Ok(None);
    }
    let (x_unit, y_unit) = row.check_weights()?;
    let extent = order::extent("x", row.x, row.place)?.joined(order::extent("y", row.y, row.place)?);
    // Totals that may be compared are close, and then one unit serves both.
    let unit = if row.x_weights.is_some() { x_unit } else { y_unit };
    let Some(masses) = Masses::new(row, unit) else { return Ok(None) };
    if !(extent.high - extent.low).is_finite() || extent.high == extent.low {
        return Ok(None);
    }
    let mut atoms = vec![Atom::default(); count];
    let mut ends = deal(row, &masses, extent, &mut atoms);
    interrupt.check()?;
    ends.pop();
    let scale = (ends.len() as f64 - 1.0) / (extent.high - extent.low);
    let mut parts = Vec::with_capacity(ends.len());
    let (mut rest, mut start) = (&mut atoms[..], 0);
    for (number, &end) in ends.iter().enumerate() {
        let (part, after) = rest.split_at_mut((end - start) as usize);
        (rest, start) = (after, end);
        parts.push((number as f64, part));
    }
    let together = if serial { ends.len() } else { TOGETHER };
    pool::for_each_chunk_mut(&mut parts, together, |_, parts| {
        interrupt.check()?;
        let mut sorter = Sorter { low: extent.low, scale, spare: Vec::new(), ends: Vec::new() };
        parts.iter_mut().try_for_each(|(number, part)| sorter.sort(*number, part, interrupt))
    })?;
    Ok(area(&atoms, extent, &masses))
}

/// Masses of both sides, in a unit in which the total of x is between 1 and 2, or about that.
struct Masses {
    unit: f64,
    /// The mass of each atom of a side without weights.
    alike: f64,
    /// By how much those of y are to be raised, relatively, and those of x.
    lift: f64,
    x_lift: f64,
    total: f64,
}

impl Masses {
    /// None if totals differ by more than rounding.
    fn new<T: Real>(row: &Row<'_, T>, unit: f64) -> Option<Self> {
        let sum = |weights: &[T]| total(weights.len(), Scaled { weights, unit });
        let alike = |whole: Double, count: usize| {
            let [high, low] = whole.over(Double::from(count as f64)).parts();
            (high, low / high)
        };
        let one = Double::from(1.0);
        let (whole, alike, lift, x_lift) = match (row.x_weights.map(sum), row.y_weights.map(sum)) {
            (Some(x), Some(y)) => (x, 0.0, (x.over(y) - one).high, 0.0),
            (Some(x), None) => {
                let (mass, lift) = alike(x, row.y.len());
                (x, mass, lift, 0.0)
            }
            (None, Some(y)) => {
                let (mass, lift) = alike(y, row.x.len());
                (y, mass, 0.0, lift)
            }
            (None, None) => return None,
        };
        (lift.abs() < 1e-12).then_some(Self { unit, alike, lift, x_lift, total: whole.high })
    }

    fn of<T: Real>(&self, weights: Option<&[T]>, index: usize) -> f64 {
        weights.map_or(self.alike, |weights| weights[index].into() * self.unit)
    }
}

struct Scaled<'a, T> {
    weights: &'a [T],
    unit: f64,
}

impl<T: Real> super::exact::Number for Scaled<'_, T> {
    #[inline(always)]
    fn at(&self, index: usize) -> f64 {
        self.weights[index].into() * self.unit
    }
}

/// Put all atoms into parts by value; where each part ends, and once more the last.
fn deal<T: Real>(row: &Row<'_, T>, masses: &Masses, extent: Extent, atoms: &mut [Atom]) -> Vec<u32> {
    let parts = (atoms.len() / PART).clamp(1, PARTS);
    let scale = (parts as f64 - 1.0) / (extent.high - extent.low);
    let part = |point: T| (((point.into() - extent.low) * scale) as i64 as usize).min(parts - 1);
    let mut ends = vec![0_u32; parts + 1];
    for &point in row.x.iter().chain(row.y) {
        ends[part(point) + 1] += 1;
    }
    for i in 0..parts {
        ends[i + 1] += ends[i];
    }
    let mut put = |point: T, mass: f64| {
        let end = &mut ends[part(point)];
        atoms[*end as usize] = (point.into(), mass);
        *end += 1;
    };
    for (i, &point) in row.x.iter().enumerate() {
        put(point, masses.of(row.x_weights, i));
    }
    for (j, &point) in row.y.iter().enumerate() {
        put(point, -masses.of(row.y_weights, j));
    }
    ends
}

/// Sorts parts, each of them among the points of one stretch of the line.
struct Sorter {
    low: f64,
    scale: f64,
    spare: Vec<Atom>,
    ends: Vec<u32>,
}

impl Sorter {
    fn sort(&mut self, number: f64, part: &mut [Atom], interrupt: &Interrupt) -> Result<()> {
        if part.len() <= FEW {
            order::insert(part);
            return Ok(());
        }
        if part.len() > LARGE {
            return order::sort(part, interrupt);
        }
        let buckets = part.len() + part.len() / 2;
        let (low, scale) = (self.low, self.scale * buckets as f64);
        let offset = number * buckets as f64;
        // Never falling in the point, so buckets are in order however this rounds.
        let bucket =
            |point: f64| ((((point - low) * scale - offset) as i64).max(0) as usize).min(buckets - 1);
        self.ends.clear();
        self.ends.resize(buckets + 1, 0);
        for &(point, _) in part.iter() {
            self.ends[bucket(point) + 1] += 1;
        }
        let mut fullest = 0;
        for i in 0..buckets {
            fullest = fullest.max(self.ends[i + 1]);
            self.ends[i + 1] += self.ends[i];
        }
        if fullest as usize > FEW {
            return order::sort(part, interrupt);
        }
        if self.spare.len() < part.len() {
            self.spare.resize(part.len(), Atom::default());
        }
        let spare = &mut self.spare[..part.len()];
        for &atom in part.iter() {
            let end = &mut self.ends[bucket(atom.0)];
            spare[*end as usize] = atom;
            *end += 1;
        }
        order::insert(spare);
        part.copy_from_slice(spare);
        Ok(())
    }
}

/// The area between the distribution functions of atoms in order, if its rounding is bounded well enough.
fn area(atoms: &[Atom], extent: Extent, masses: &Masses) -> Option<f64> {
    const BLOCK: usize = 32 * LANES;
    let mut sum = Compensated::default();
    let (mut upper, mut lower, mut at, mut largest) = (0.0_f64, 0.0_f64, extent.low, 0.0_f64);
    for block in atoms.chunks(BLOCK) {
        let mut terms = [0.0; BLOCK];
        for (term, &(point, mass)) in terms.iter_mut().zip(block) {
            *term = (upper + lower).abs() * (point - at);
            at = point;
            let cut = (mass + CUT) - CUT;
            upper += cut;
            let lift = if mass < 0.0 { masses.lift } else { masses.x_lift };
            lower += (mass - cut) + mass * lift;
        }
        largest = largest.max(lower.abs());
        let mut stripes = [0.0; LANES];
        for lanes in terms.as_chunks::<LANES>().0 {
            for (stripe, term) in stripes.iter_mut().zip(lanes) {
                *stripe += term;
            }
        }
        for stripe in stripes {
            sum.add(stripe);
        }
    }
    // Between the ends of blocks the lower part may have been larger, by 2^-50 an atom and what masses are lifted by.
    let within = BLOCK as f64 * 0.5_f64.powi(50) + 4.0 * (masses.lift.abs() + masses.x_lift.abs());
    let lost = atoms.len() as f64 * f64::EPSILON * (largest + within) * (extent.high - extent.low);
    (lost <= 0.25 * f64::EPSILON * sum.value()).then(|| sum.value() / masses.total)
}

#[cfg(test)]
mod tests {
    use super::super::{Samples, line};
    use super::*;

    fn draw(count: usize, seed: u64) -> Vec<f64> {
        let mix = |i: u64| (i ^ i >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let unit = |i: u64| (mix(mix(i + (seed << 32) + 1)) >> 11) as f64 / 9_007_199_254_740_992.0;
        (0..count as u64).map(unit).collect()
    }

    #[test]
    fn the_area_is_the_length_of_the_walk() {
        let never = Interrupt::new();
        let shapes: [fn(f64) -> f64; 5] =
            [|u| u, |u| (u * 9.0).round(), |u| 1.0 / (1e-9 + u), |u| -(u * 60.0).exp(), |u| u.powi(40)];
        for (n, m) in [(300, 200), (5000, 4000), (40_000, 100)] {
            for shape in shapes {
                let (x, y) = (draw(n, 1), draw(m, 2));
                let x: Vec<f64> = x.into_iter().map(shape).collect();
                let y: Vec<f64> = y.into_iter().map(|u| shape(u) + 0.125).collect();
                let (a, b) = (draw(n, 3), draw(m, 4));
                let totals: [f64; 2] = [a.iter().sum(), b.iter().sum()];
                let b: Vec<f64> = b.into_iter().map(|mass| mass * (totals[0] / totals[1])).collect();
                for (x_weights, y_weights) in [(Some(&a), Some(&b)), (Some(&a), None), (None, Some(&b))] {
                    let samples = Samples {
                        x: &x,
                        y: &y,
                        x_weights: x_weights.map(|a| &a[..]),
                        y_weights: y_weights.map(|b| &b[..]),
                        n,
                        m,
                        rows: 1,
                    };
                    let row = samples.row(0);
                    let walked = line::wasserstein(&row.atoms(true, &never).unwrap(), 1.0);
                    let area = wasserstein(&row, true, &never).unwrap().unwrap();
                    assert!((area - walked).abs() <= 4.0 * f64::EPSILON * walked, "{area} {walked}");
                    assert_eq!(wasserstein(&row, false, &never).unwrap(), Some(area));
                }
            }
        }
    }

    #[test]
    fn what_rounding_could_drown_is_left_to_the_walk() {
        let never = Interrupt::new();
        let (x, a) = (draw(1000, 1), draw(1000, 2));
        let mut far = x.clone();
        far[7] = 1e40;
        let mut light = a.clone();
        light[7] = 1e-38;
        for (x, y, a, b) in [(&x, &x, &a, &a), (&far, &x, &light, &light)] {
            let samples =
                Samples { x, y, x_weights: Some(&a[..]), y_weights: Some(&b[..]), n: 1000, m: 1000, rows: 1 };
            assert_eq!(wasserstein(&samples.row(0), true, &never).unwrap(), None);
        }
    }
}
