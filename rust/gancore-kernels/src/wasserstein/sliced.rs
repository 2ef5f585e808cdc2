//! Sliced and max-sliced Wasserstein distances: W_p of projections to lines.
//!
//! ```text
//! SW_p^p = E over theta of W_p(<theta, x>, <theta, y>)^p       Rabin, Peyré, Delon and Bernot 2011, eq. 5
//! max-SW_p = max over theta of W_p(<theta, x>, <theta, y>)     Deshpande et al. 2019, eq. 9
//! ```
//!
//! with theta uniform on the sphere: standard normals by counter, scaled to length 1, so a direction depends on the seed
//! and its number alone. Points are projected to [`LANES`] directions at a time; nothing larger than that is stored.
//!
//! With the coupling held fixed the cost of a direction has the gradient below, so ascent with step halving climbs from
//! the best random directions and from the difference of means. A step that does not climb is not taken, so the result
//! is W_p at a direction, at least that of every direction tried: a lower bound of max-SW_p, exact in dimension 1.
//!
//! ```text
//! d W_p^p / d theta = sum over cells of mass p |d|^(p-1) sign(d) (x_i - y_j),     d = <theta, x_i - y_j>
//! ```

use super::check_order;
use super::levels::each_step;
use super::line::{self, Atoms};
use super::order::{self, Place};
use crate::error::{Error, Result};
use crate::num::{Compensated, Real};
use crate::pool::{self, Interrupt};
use crate::rng::{Address, Stream};
use crate::simd::{self, LANES};

/// The stream of directions.
const DIRECTIONS: Stream = Stream::User(239);

/// From how many random directions the ascent starts.
const STARTS: usize = 8;

/// How often an ascent steps at most.
const STEPS: usize = 200;

/// Two clouds of points in `dim` dimensions, row after row.
#[derive(Debug, Clone, Copy)]
pub struct Clouds<'a, T> {
    /// Points of the first argument.
    pub x: &'a [T],
    /// Points of the second argument.
    pub y: &'a [T],
    /// Dimension.
    pub dim: usize,
}

impl<T: Real> Clouds<'_, T> {
    /// How many points the clouds have, of which neither is empty.
    pub(super) fn check(&self) -> Result<(usize, usize)> {
        if self.dim == 0 {
            return Err(Error::shape("x", "at least one coordinate", "none"));
        }
        for (argument, points) in [("x", self.x), ("y", self.y)] {
            if points.is_empty() || !points.len().is_multiple_of(self.dim) {
                let expected = format!("at least one row of {} coordinates", self.dim);
                return Err(Error::shape(argument, expected, format!("{} numbers", points.len())));
            }
        }
        Ok((self.x.len() / self.dim, self.y.len() / self.dim))
    }
}

/// A direction, and W_p along it.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxSliced {
    /// W_p of the projections.
    pub value: f64,
    /// Unit vector.
    pub direction: Vec<f64>,
}

/// Sliced W_p over `n_projections` random directions; for p = inf the largest of them.
pub fn sliced_wasserstein<T: Real>(
    clouds: Clouds<'_, T>,
    p: f64,
    n_projections: usize,
    seed: u64,
    interrupt: &Interrupt,
) -> Result<f64> {
    let values = along_random(clouds, p, n_projections, seed, interrupt)?;
    let largest = values.iter().copied().fold(0.0, f64::max);
    if p == f64::INFINITY || largest == 0.0 {
        return Ok(largest);
    }
    let mut sum = Compensated::default();
    for value in values {
        sum.add((value / largest).powf(p));
    }
    Ok(largest * (sum.value() / n_projections as f64).powf(1.0 / p))
}

/// A direction of large W_p, found by ascent from the best of `n_projections` random ones and from that of the means.
pub fn max_sliced_wasserstein<T: Real>(
    clouds: Clouds<'_, T>,
    p: f64,
    n_projections: usize,
    seed: u64,
    interrupt: &Interrupt,
) -> Result<MaxSliced> {
    let values = along_random(clouds, p, n_projections, seed, interrupt)?;
    let mut best: Vec<usize> = (0..values.len()).collect();
    best.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    best.truncate(STARTS);
    let mut starts: Vec<Vec<f64>> = best.into_iter().map(|at| direction(seed, at, clouds.dim)).collect();
    starts.extend(between_means(clouds));
    let climbed = pool::map_indexed(starts.len(), 2, |at| climb(clouds, p, starts[at].clone(), interrupt))?;
    let mut found: Option<MaxSliced> = None;
    for end in climbed {
        let end = end?;
        if found.as_ref().is_none_or(|found| end.value > found.value) {
            found = Some(end);
        }
    }
    found.ok_or_else(|| Error::Backend("an ascent must have a start".into()))
}

/// W_p along each random direction.
fn along_random<T: Real>(
    clouds: Clouds<'_, T>,
    p: f64,
    n_projections: usize,
    seed: u64,
    interrupt: &Interrupt,
) -> Result<Vec<f64>> {
    check_order(p)?;
    let (n, m) = clouds.check()?;
    if n_projections == 0 || u32::try_from(n_projections).is_err() {
        let expected = "be at least 1, and below 2^32";
        return Err(Error::domain("n_projections", expected, n_projections.to_string()));
    }
    let place = Place { row: None };
    order::survey("x", clouds.x, place)?;
    order::survey("y", clouds.y, place)?;
    let mut values = vec![0.0; n_projections];
    pool::for_each_chunk_mut(&mut values, LANES, |task, values| {
        let first = task * LANES;
        let mut turned = vec![[0.0; LANES]; clouds.dim];
        for lane in 0..values.len() {
            for (turned, coordinate) in turned.iter_mut().zip(direction(seed, first + lane, clouds.dim)) {
                turned[lane] = coordinate;
            }
        }
        let mut lines = [vec![0.0; n * LANES], vec![0.0; m * LANES]];
        for (points, lines) in [clouds.x, clouds.y].into_iter().zip(&mut lines) {
            simd::dispatch(Project { points, directions: &turned, lines });
        }
        for (lane, value) in values.iter_mut().enumerate() {
            interrupt.check()?;
            let [x, y] = &lines;
            let x = order::sorted("x", &x[lane * n..(lane + 1) * n], place, interrupt)?;
            let y = order::sorted("y", &y[lane * m..(lane + 1) * m], place, interrupt)?;
            *value = line::wasserstein(&Atoms::Alike { x, y }, p);
        }
        Ok(())
    })?;
    Ok(values)
}

/// Unit vector of a number.
fn direction(seed: u64, number: usize, dim: usize) -> Vec<f64> {
    let mut direction = vec![0.0; dim];
    Address { seed, stream: DIRECTIONS, step: 0 }.normals(number as u64, dim, &mut direction);
    normalised(direction).unwrap_or_else(|| (0..dim).map(|k| f64::from(u8::from(k == 0))).collect())
}

/// A vector scaled to length 1, unless it has none.
fn normalised(mut vector: Vec<f64>) -> Option<Vec<f64>> {
    let largest = vector.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    if !(largest > 0.0 && largest < f64::INFINITY) {
        return None;
    }
    let mut square = Compensated::default();
    for v in &mut vector {
        *v /= largest;
        square.add(*v * *v);
    }
    let length = square.value().sqrt();
    for v in &mut vector {
        *v /= length;
    }
    Some(vector)
}

/// Points along [`LANES`] directions: line after line.
struct Project<'a, T> {
    points: &'a [T],
    directions: &'a [[f64; LANES]],
    lines: &'a mut [f64],
}

impl<T: Real> simd::Op for Project<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        // Four points at a time keep each direction's coordinates in registers for four products.
        const GROUP: usize = 4;
        let dim = self.directions.len();
        let count = self.points.len() / dim;
        let mut at = 0;
        for points in self.points.chunks(GROUP * dim) {
            let mut sums = [[0.0; LANES]; GROUP];
            if points.len() == GROUP * dim {
                let (one, rest) = points.split_at(dim);
                let (two, rest) = rest.split_at(dim);
                let (three, four) = rest.split_at(dim);
                let coordinates = one.iter().zip(two).zip(three).zip(four);
                for ((((&a, &b), &c), &d), lanes) in coordinates.zip(self.directions) {
                    let group: [f64; GROUP] = [a.into(), b.into(), c.into(), d.into()];
                    for (sums, coordinate) in sums.iter_mut().zip(group) {
                        for (sum, lane) in sums.iter_mut().zip(lanes) {
                            *sum += coordinate * lane;
                        }
                    }
                }
            } else {
                for (sums, point) in sums.iter_mut().zip(points.chunks(dim)) {
                    for (&coordinate, lanes) in point.iter().zip(self.directions) {
                        for (sum, lane) in sums.iter_mut().zip(lanes) {
                            *sum += coordinate.into() * lane;
                        }
                    }
                }
            }
            for sums in sums.iter().take(points.len() / dim) {
                for (lane, sum) in sums.iter().enumerate() {
                    self.lines[lane * count + at] = *sum;
                }
                at += 1;
            }
        }
    }
}

/// The direction from one mean to the other, unless they are one.
fn between_means<T: Real>(clouds: Clouds<'_, T>) -> Option<Vec<f64>> {
    let mean = |points: &[T], k: usize| {
        let mut sum = Compensated::default();
        points.iter().skip(k).step_by(clouds.dim).for_each(|&v| sum.add(v.into()));
        sum.value() / (points.len() / clouds.dim) as f64
    };
    normalised((0..clouds.dim).map(|k| mean(clouds.x, k) - mean(clouds.y, k)).collect())
}

/// Ascend from a direction.
fn climb<T: Real>(
    clouds: Clouds<'_, T>,
    p: f64,
    start: Vec<f64>,
    interrupt: &Interrupt,
) -> Result<MaxSliced> {
    let mut best = MaxSliced { value: 0.0, direction: start };
    let mut gradient;
    (best.value, gradient) = slope(clouds, p, &best.direction, interrupt)?;
    let mut reach = 1.0;
    for _ in 0..STEPS {
        let Some(uphill) = normalised(std::mem::take(&mut gradient)) else { break };
        let before = best.value;
        while reach > 1e-9 {
            // At reach 1 the step is to the gradient itself, the power iteration for p = 2.
            let mix = |(d, u): (&f64, &f64)| (1.0 - reach) * d + reach * u;
            let Some(next) = normalised(best.direction.iter().zip(&uphill).map(mix).collect()) else { break };
            let (value, next_gradient) = slope(clouds, p, &next, interrupt)?;
            if value > best.value {
                (best, gradient) = (MaxSliced { value, direction: next }, next_gradient);
                break;
            }
            reach *= 0.5;
        }
        if best.value <= before * (1.0 + 1e-12) {
            break;
        }
        reach = (4.0 * reach).min(1.0);
    }
    Ok(best)
}

/// W_p along a direction, and a vector along its gradient with respect to the direction.
fn slope<T: Real>(
    clouds: Clouds<'_, T>,
    p: f64,
    direction: &[f64],
    interrupt: &Interrupt,
) -> Result<(f64, Vec<f64>)> {
    let along = |points: &[T]| -> Result<Vec<(f64, usize)>> {
        let mut items: Vec<_> = points
            .chunks(clouds.dim)
            .enumerate()
            .map(|(index, point)| {
                let at: f64 = point.iter().zip(direction).map(|(&v, d)| v.into() * d).sum();
                (at, index)
            })
            .collect();
        order::sort(&mut items, interrupt)?;
        Ok(items)
    };
    let (x, y) = (along(clouds.x)?, along(clouds.y)?);
    let ((x, of_x), (y, of_y)): ((Vec<_>, Vec<_>), (Vec<_>, Vec<_>)) =
        (x.into_iter().unzip(), y.into_iter().unzip());
    let atoms = Atoms::Alike { x, y };
    let value = line::wasserstein(&atoms, p);
    let Atoms::Alike { x, y } = atoms else { return Ok((value, vec![0.0; clouds.dim])) };
    let mut pull_x = vec![0.0; of_x.len()];
    let mut pull_y = vec![0.0; of_y.len()];
    let mut largest = 0.0_f64;
    each_step(of_x.len(), of_y.len(), |i, j, _| largest = largest.max((x[i] - y[j]).abs()));
    let mut gradient = vec![0.0; clouds.dim];
    if largest == 0.0 {
        return Ok((value, gradient));
    }
    each_step(of_x.len(), of_y.len(), |i, j, width| {
        let distance = (x[i] - y[j]) / largest;
        let far = if p == f64::INFINITY {
            f64::from(u8::from(distance.abs() == 1.0))
        } else {
            distance.abs().powf(p - 1.0)
        };
        let pull = if distance == 0.0 { 0.0 } else { width * far * distance.signum() };
        pull_x[of_x[i]] += pull;
        pull_y[of_y[j]] -= pull;
    });
    for (points, pulls) in [(clouds.x, pull_x), (clouds.y, pull_y)] {
        for (point, pull) in points.chunks(clouds.dim).zip(pulls) {
            for (sum, &v) in gradient.iter_mut().zip(point) {
                *sum += pull * v.into();
            }
        }
    }
    Ok((value, gradient))
}
