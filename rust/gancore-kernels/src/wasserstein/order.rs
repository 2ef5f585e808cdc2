//! Atoms in order: points checked and sorted, with what travels along with them.
//!
//! Points are dealt into buckets by value, so finely that a bucket holds one or two, which insertion puts in order:
//! linear time for samples of any smooth distribution, and what is worked on stays in the nearest caches. Buckets that a
//! skewed sample overfills are dealt again, and beyond that sorted by comparisons, so no input costs more than
//! O(n log n).

use crate::error::{Error, Result};
use crate::num::{self, Real};
use crate::pool::Interrupt;
use crate::simd::{self, LANES};

/// Up to this many items are put in order by insertion.
const FEW: usize = 24;

/// Up to this many items are dealt at once; more are dealt coarsely first, so that each part fits the nearest caches.
const NEAR: usize = 1 << 14;

/// How often a skewed sample is dealt again.
const DEEPEST: usize = 4;

/// A finite point, perhaps with what travels along.
pub(super) trait Item: Copy + Default {
    /// Where it stands.
    fn point(&self) -> f64;
}

impl Item for f64 {
    #[inline(always)]
    fn point(&self) -> f64 {
        *self
    }
}

impl<V: Copy + Default> Item for (f64, V) {
    #[inline(always)]
    fn point(&self) -> f64 {
        self.0
    }
}

/// Sort by point; equal points stand in any order.
pub(super) fn sort<I: Item>(items: &mut [I], interrupt: &Interrupt) -> Result<()> {
    if items.len() <= FEW {
        insert(items);
        return Ok(());
    }
    let mut spare = vec![I::default(); items.len()];
    let mut ends = [const { Vec::new() }; DEEPEST];
    deal(items, &mut spare, &mut ends, Home::Here, interrupt)
}

/// Which of two arrays the order is to stand in at last.
#[derive(Clone, Copy, PartialEq)]
enum Home {
    Here,
    There,
}

/// Put the items that stand `here` in order, with `there` as a second place for them.
fn deal<I: Item>(
    here: &mut [I],
    there: &mut [I],
    ends: &mut [Vec<u32>],
    home: Home,
    interrupt: &Interrupt,
) -> Result<()> {
    let count = here.len();
    let (low, high) = here.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), item| {
        let point = item.point();
        (if point < low { point } else { low }, if point > high { point } else { high })
    });
    let (Some((ends, deeper)), true, Ok(_)) = (ends.split_first_mut(), low < high, u32::try_from(count))
    else {
        if low < high {
            here.sort_unstable_by(|a, b| a.point().total_cmp(&b.point()));
        }
        if home == Home::There {
            there.copy_from_slice(here);
        }
        return Ok(());
    };
    interrupt.check()?;
    let buckets = if count > NEAR { (count / 512).min(256) } else { count };
    // Where the range overflows the scale is 0, and where it is subnormal the scale is infinite; either way the buckets
    // are in order, for subtraction, multiplication and this conversion never fall where the point rises.
    let scale = (buckets - 1) as f64 / (high - low);
    let bucket = |item: &I| (((item.point() - low) * scale) as i64 as usize).min(buckets - 1);
    ends.clear();
    ends.resize(buckets + 1, 0);
    for item in here.iter() {
        ends[bucket(item) + 1] += 1;
    }
    let fullest = ends.iter().copied().max().unwrap_or_default() as usize;
    for i in 0..buckets {
        ends[i + 1] += ends[i];
    }
    for item in here.iter() {
        let end = &mut ends[bucket(item)];
        there[*end as usize] = *item;
        *end += 1;
    }
    if fullest <= FEW {
        // No item moves beyond its bucket, and a pass over all of them at once seldom takes an unforeseen turn.
        insert(there);
        if home == Home::Here {
            here.copy_from_slice(there);
        }
        return Ok(());
    }
    let mut start = 0;
    for &end in &ends[..buckets] {
        let part = start..end as usize;
        start = part.end;
        let (from, to) = (&mut there[part.clone()], &mut here[part]);
        if from.len() > FEW {
            let home = if home == Home::Here { Home::There } else { Home::Here };
            deal(from, to, deeper, home, interrupt)?;
            continue;
        }
        insert(from);
        if home == Home::Here {
            to.copy_from_slice(from);
        }
    }
    Ok(())
}

/// Sort by insertion: quick where no item is far from its place.
#[inline(always)]
pub(super) fn insert<I: Item>(items: &mut [I]) {
    for i in 1..items.len() {
        let item = items[i];
        let mut at = i;
        while at > 0 && items[at - 1].point() > item.point() {
            items[at] = items[at - 1];
            at -= 1;
        }
        items[at] = item;
    }
}

/// Where a row stands, for error messages.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The row, where there are several.
    pub row: Option<usize>,
}

impl Place {
    fn of(self, index: usize) -> String {
        self.row.map_or(format!("index {index}"), |row| format!("row {row}, index {index}"))
    }

    /// The row, as the end of a sentence.
    pub fn row(self) -> String {
        self.row.map_or(String::new(), |row| format!(" in row {row}"))
    }
}

/// What a pass over points finds.
struct Survey {
    finite: bool,
    ascending: bool,
    extent: Extent,
}

/// The least and the greatest of some points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub low: f64,
    pub high: f64,
}

impl Extent {
    /// That of both.
    pub fn joined(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

struct Look<'a, T>(&'a [T]);

impl<T: Real> simd::Op for Look<'_, T> {
    type Output = Survey;

    #[inline(always)]
    fn run(self) -> Survey {
        let mut poison = [0.0; LANES];
        let (mut low, mut high) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        for points in self.0.chunks(LANES) {
            for (lane, &point) in points.iter().enumerate() {
                let point: f64 = point.into();
                // Zero for finite points, nan for all others.
                poison[lane] += point * 0.0;
                low[lane] = if point < low[lane] { point } else { low[lane] };
                high[lane] = if point > high[lane] { point } else { high[lane] };
            }
        }
        let mut falls = 0_u32;
        for (&left, &right) in self.0.iter().zip(self.0.get(1..).unwrap_or_default()) {
            let (left, right): (f64, f64) = (left.into(), right.into());
            falls |= u32::from(left > right);
        }
        let extent = Extent {
            low: low.into_iter().fold(f64::INFINITY, f64::min),
            high: high.into_iter().fold(f64::NEG_INFINITY, f64::max),
        };
        Survey { finite: poison.into_iter().all(|zero| zero == 0.0), ascending: falls == 0, extent }
    }
}

/// Refuse points that are not finite; whether they ascend.
pub(super) fn survey<T: Real>(argument: &'static str, points: &[T], place: Place) -> Result<bool> {
    Ok(looked(argument, points, place)?.ascending)
}

/// Refuse points that are not finite; how far they reach.
pub(super) fn extent<T: Real>(argument: &'static str, points: &[T], place: Place) -> Result<Extent> {
    Ok(looked(argument, points, place)?.extent)
}

fn looked<T: Real>(argument: &'static str, points: &[T], place: Place) -> Result<Survey> {
    let survey = simd::dispatch(Look(points));
    if !survey.finite {
        let index = points.iter().position(|&point| !point.into().is_finite()).unwrap_or_default();
        let value: f64 = points[index].into();
        let got = format!("{value} at {}", place.of(index));
        return Err(Error::domain(argument, "have finite points", got));
    }
    Ok(survey)
}

/// The points in order.
pub(super) fn sorted<T: Real>(
    argument: &'static str,
    points: &[T],
    place: Place,
    interrupt: &Interrupt,
) -> Result<Vec<f64>> {
    let ascending = survey(argument, points, place)?;
    let mut sorted: Vec<f64> = points.iter().map(|&point| point.into()).collect();
    if !ascending {
        sort(&mut sorted, interrupt)?;
    }
    Ok(sorted)
}

/// Refuse weights that are nan, infinite, negative or all zero; their total.
pub(super) fn check_weights<T: Real>(argument: &'static str, weights: &[T], place: Place) -> Result<f64> {
    let (total, lowest) = simd::dispatch(Weigh(weights));
    if lowest < 0.0 || !total.is_finite() {
        let wrong = |&weight: &T| !(weight.into() >= 0.0 && weight.into() < f64::INFINITY);
        let expected = "have finite weights >= 0 of finite total";
        let got = match weights.iter().position(wrong) {
            Some(index) => format!("{} at {}", Into::<f64>::into(weights[index]), place.of(index)),
            None => format!("total {total}{}", place.row()),
        };
        return Err(Error::domain(argument, expected, got));
    }
    if total == 0.0 {
        return Err(Error::domain(argument, "have positive total weight", format!("0{}", place.row())));
    }
    Ok(total)
}

struct Weigh<'a, T>(&'a [T]);

impl<T: Real> simd::Op for Weigh<'_, T> {
    type Output = (f64, f64);

    #[inline(always)]
    fn run(self) -> (f64, f64) {
        let mut lowest = [0.0_f64; LANES];
        for weights in self.0.chunks(LANES) {
            for (lowest, &weight) in lowest.iter_mut().zip(weights) {
                let weight: f64 = weight.into();
                *lowest = if weight < *lowest { weight } else { *lowest };
            }
        }
        (num::sum(self.0), lowest.into_iter().fold(0.0, f64::min))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees(points: &[f64]) {
        let mut expected = points.to_vec();
        expected.sort_unstable_by(f64::total_cmp);
        let mut items: Vec<_> = points.iter().map(|&point| (point, point)).collect();
        sort(&mut items, &Interrupt::new()).unwrap();
        assert!(items.iter().zip(&expected).all(|(a, &b)| a.point() == b && a.1 == b));
    }

    #[test]
    fn sorting_agrees_with_the_order_of_doubles() {
        agrees(&[0.5, -0.0, f64::MAX, -1e-310, 3.0, -7.5, f64::MIN, 0.0]);
        let draw = |i: u64| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64 / 9_007_199_254_740_992.0;
        let uniform: Vec<f64> = (0..20_000).map(|i| draw(i) - 0.5).collect();
        agrees(&uniform);
        agrees(&uniform.iter().map(|u| (u * 1400.0).exp()).map(|v| v.min(f64::MAX)).collect::<Vec<_>>());
        agrees(&uniform.iter().map(|u| (u * 4.0).round()).collect::<Vec<_>>());
        agrees(&uniform.iter().map(|u| u * 5e-320).collect::<Vec<_>>());
        agrees(&uniform.iter().map(|u| u.signum() * f64::MAX).collect::<Vec<_>>());
        let one_outlier: Vec<f64> = uniform.iter().copied().chain([1e300]).collect();
        agrees(&one_outlier);
    }
}
