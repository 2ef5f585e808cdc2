//! W_p on the circle.
//!
//! Cut the circle, and turn the quantile function of y by a level theta: the cost of the monotone coupling
//!
//! ```text
//! C(theta) = integral over u in (0, 1) of |F^-1(u) - G^-1(u - theta)|^p,    G^-1(u + 1) = G^-1(u) + period
//! ```
//!
//! is convex in theta, its least value is W_p^p (Delon, Salomon and Sobolevski, *Fast transport optimization for Monge
//! costs on the circle*, SIAM J. Appl. Math. 70 (2010), theorem 2.9), and between discrete measures it is affine but
//! where a level of x meets one of y. Levels are integers, in units of 1/(n m), or of 2^-100 where there are weights,
//! so these points are integers, and a search by halves that jumps to the ends of the affine piece it meets ends at the
//! least value itself.
//!
//! For p = 1 the integral of |F - G - c| over the circle is least for the median level c (Cabrelli and Molter 1995).

use super::Row;
use super::exact::{self, Double};
use super::line::pair;
use super::order;
use crate::error::Result;
use crate::num::{Compensated, Real};
use crate::pool::Interrupt;

/// Units of level where there are weights.
const FINE: i128 = 1 << 100;

/// One sample on the circle: points in [0, period) in order, and the levels at which their steps end.
struct Steps {
    points: Vec<f64>,
    ends: Vec<i128>,
}

impl Steps {
    fn width(&self, i: usize) -> i128 {
        self.ends[i] - if i == 0 { 0 } else { self.ends[i - 1] }
    }
}

pub(super) fn wasserstein<T: Real>(
    row: &Row<'_, T>,
    p: f64,
    period: f64,
    interrupt: &Interrupt,
) -> Result<f64> {
    let (x_unit, y_unit) = row.check_weights()?;
    let weighted = row.x_weights.is_some() || row.y_weights.is_some();
    let side = |argument, points: &[T], weights: Option<&[T]>, unit: f64| -> Result<(Vec<f64>, Vec<f64>)> {
        order::survey(argument, points, row.place)?;
        let wrapped = |point: T| {
            let rest = point.into() % period;
            let wrapped = if rest < 0.0 { rest + period } else { rest };
            if wrapped < period { wrapped } else { 0.0 }
        };
        let mass = |i: usize| weights.map_or(1.0, |weights| weights[i].into() * unit);
        let mut items: Vec<_> =
            points.iter().enumerate().map(|(i, &point)| (wrapped(point), mass(i))).collect();
        items.retain(|&(_, mass)| mass > 0.0);
        order::sort(&mut items, interrupt)?;
        Ok(items.into_iter().unzip())
    };
    let [(x, x_masses), (y, y_masses)] =
        pair(vec![side("x", row.x, row.x_weights, x_unit), side("y", row.y, row.y_weights, y_unit)])?;
    let (n, m) = (x.len() as i128, y.len() as i128);
    let (x_ends, y_ends, whole) = if weighted {
        (fine_ends(&x_masses), fine_ends(&y_masses), FINE)
    } else {
        ((1..=n).map(|i| i * m).collect(), (1..=m).map(|j| j * n).collect(), n * m)
    };
    let pair =
        Pair { x: Steps { points: x, ends: x_ends }, y: Steps { points: y, ends: y_ends }, whole, period, p };
    if p == 1.0 { Ok(pair.by_median()) } else { pair.by_search(interrupt) }
}

/// Cumulative masses in units of 2^-100 of their total.
fn fine_ends(masses: &[f64]) -> Vec<i128> {
    let total = exact::total(masses.len(), masses);
    let mut sum = Double::from(0.0);
    let mut last = 0;
    let mut ends: Vec<i128> = masses
        .iter()
        .map(|&mass| {
            sum = sum + mass;
            let [high, low] = sum.over(total).parts().map(|part| (part * FINE as f64).round() as i128);
            last = (high + low).clamp(last, FINE);
            last
        })
        .collect();
    if let Some(last) = ends.last_mut() {
        *last = FINE;
    }
    ends
}

struct Pair {
    x: Steps,
    y: Steps,
    whole: i128,
    period: f64,
    p: f64,
}

/// A cell of the coupling, or an end of one.
enum Event {
    /// Atoms are matched at this signed distance over a width of levels, one of them wholly or none.
    Cell(f64, i128, bool),
    /// A step of y ends within one of x: distances before and after, levels to the end of the step of x.
    End(f64, f64, i128),
    /// A step of x ends, so many levels before that of y.
    EndX(i128),
}

impl Pair {
    /// W_1 by the median of F - G, weighted by the arcs on which it stands.
    fn by_median(&self) -> f64 {
        let (x, y) = (&self.x, &self.y);
        let mut pieces = Vec::with_capacity(x.points.len() + y.points.len());
        let (mut i, mut j) = (0, 0);
        let (mut up, mut down) = (0, 0);
        // The arc through the cut has height 0, and two parts: before the first atom and after the last.
        let mut at = 0.0;
        while i < x.points.len() || j < y.points.len() {
            let from_x = j == y.points.len() || (i < x.points.len() && x.points[i] <= y.points[j]);
            let next = if from_x { x.points[i] } else { y.points[j] };
            if next > at {
                pieces.push((up - down, next - at));
                at = next;
            }
            if from_x {
                up = x.ends[i];
                i += 1;
            } else {
                down = y.ends[j];
                j += 1;
            }
        }
        pieces.push((0, self.period - at));
        pieces.sort_unstable_by_key(|&(height, _)| height);
        let mut below = Compensated::default();
        let median = pieces.iter().find(|(_, length)| {
            below.add(*length);
            below.value() >= 0.5 * self.period
        });
        let median = median.map_or(0, |&(height, _)| height);
        let mut sum = Compensated::default();
        for (height, length) in pieces {
            sum.add((height - median).abs() as f64 * (length / self.whole as f64));
        }
        sum.value()
    }

    /// W_p by the search for the best turn.
    fn by_search(&self, interrupt: &Interrupt) -> Result<f64> {
        // A whole turn to either side moves all atoms one way, so the best is between.
        let (mut low, mut high) = (-self.whole, self.whole);
        while low < high {
            interrupt.check()?;
            let middle = low + (high - low).div_euclid(2);
            let (rising, before, after) = self.piece(middle);
            if rising {
                high = middle - before;
            } else {
                low = middle + after;
            }
        }
        Ok(self.value(low))
    }

    /// Whether the cost does not fall just above a turn, and how far its affine piece reaches to both sides.
    fn piece(&self, turn: i128) -> (bool, i128, i128) {
        let (mut before, mut after) = (self.whole, self.whole);
        let (mut largest, mut largest_up, mut largest_down) = (0.0_f64, 0.0_f64, 0.0_f64);
        self.walk(turn, |event| match event {
            Event::Cell(distance, ..) => {
                largest_up = largest_up.max(distance);
                largest_down = largest_down.max(-distance);
            }
            Event::End(old, new, gap) => {
                after = after.min(gap);
                largest = largest.max(old.abs()).max(new.abs());
            }
            Event::EndX(gap) => before = before.min(gap),
        });
        if self.p == f64::INFINITY {
            // Turning further takes y back: distances x - y only grow, so the largest of them only grows, and the
            // largest of y - x only falls.
            return (largest_up >= largest_down, before, after);
        }
        if largest == 0.0 {
            return (true, before, after);
        }
        let mut slope = Compensated::default();
        self.walk(turn, |event| {
            if let Event::End(old, new, _) = event {
                slope.add(self.power(old.abs() / largest));
                slope.add(-self.power(new.abs() / largest));
            }
        });
        (slope.value() >= 0.0, before, after)
    }

    fn power(&self, distance: f64) -> f64 {
        if self.p == 2.0 { distance * distance } else { distance.powf(self.p) }
    }

    /// W_p of the coupling at a turn.
    fn value(&self, turn: i128) -> f64 {
        let mut largest = 0.0_f64;
        // As on the line W_inf leaves out cells as narrow as a rounding of the weights.
        let rounding = if self.p == f64::INFINITY && self.whole == FINE { FINE >> 50 } else { 0 };
        self.walk(turn, |event| {
            if let Event::Cell(distance, width, atom) = event
                && (width > rounding || (atom && width > 0))
            {
                largest = largest.max(distance.abs());
            }
        });
        if self.p == f64::INFINITY || largest == 0.0 {
            return largest;
        }
        let mut sum = Compensated::default();
        self.walk(turn, |event| {
            // An empty cell may be longer than the largest that is not, by so much that its power overflows.
            if let Event::Cell(distance, width, _) = event
                && width > 0
            {
                sum.add(width as f64 * self.power(distance.abs() / largest));
            }
        });
        largest * (sum.value() / self.whole as f64).powf(1.0 / self.p)
    }

    /// Walk over the levels just above a turn: where levels meet, that of x comes first.
    fn walk(&self, turn: i128, mut visit: impl FnMut(Event)) {
        let (x, y) = (&self.x, &self.y);
        // The step of y that holds the lowest levels: turned, it ends at level 0 or above.
        let start = -turn;
        let (mut lap, within) = (start.div_euclid(self.whole), start.rem_euclid(self.whole));
        let mut j = y.ends.partition_point(|&end| end < within);
        if within == 0 {
            lap -= 1;
            j = y.points.len() - 1;
        }
        let (mut i, mut at) = (0, 0);
        let place = |lap: i128, j: usize| y.points[j] + lap as f64 * self.period;
        let mut here = place(lap, j);
        loop {
            let (end_x, end_y) = (x.ends[i], y.ends[j] + lap * self.whole + turn);
            let distance = x.points[i] - here;
            let width = end_x.min(end_y) - at;
            visit(Event::Cell(distance, width, width == x.width(i) || width == y.width(j)));
            if end_x <= end_y {
                visit(Event::EndX(end_y - end_x));
                at = end_x;
                i += 1;
                if i == x.points.len() {
                    return;
                }
            } else {
                at = end_y;
                j += 1;
                if j == y.points.len() {
                    j = 0;
                    lap += 1;
                }
                here = place(lap, j);
                visit(Event::End(distance, x.points[i] - here, end_x - end_y));
            }
        }
    }
}
