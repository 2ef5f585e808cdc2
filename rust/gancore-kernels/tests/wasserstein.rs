//! Wasserstein distances on the line against atoms matched one by one, and the laws of a metric.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod wasserstein;
}

use gancore_kernels::error::Error;
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::simd::{self, Isa};
use gancore_kernels::wasserstein::{self, Clouds, Samples};
use proptest::prelude::*;

fn distance(x: &[f64], y: &[f64], p: f64) -> f64 {
    wasserstein::wasserstein_1d(samples(x, y), p, &Interrupt::new()).unwrap()[0]
}

fn samples<'a>(x: &'a [f64], y: &'a [f64]) -> Samples<'a, f64> {
    Samples { x, y, x_weights: None, y_weights: None, n: x.len(), m: y.len(), rows: 1 }
}

/// Points and small integer weights, not all of them zero.
fn weighted() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let atom = (prop_oneof![(-4_i8..4).prop_map(f64::from), -10.0..10.0], (0_u8..4).prop_map(f64::from));
    prop::collection::vec(atom, 1..8).prop_map(|atoms| {
        let (points, mut weights): (Vec<f64>, Vec<f64>) = atoms.into_iter().unzip();
        weights[0] += 1.0;
        (points, weights)
    })
}

/// Weights of total 1.
fn shares(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

/// Each point as often as its weight says.
fn repeated((points, weights): &(Vec<f64>, Vec<f64>)) -> Vec<f64> {
    points
        .iter()
        .zip(weights)
        .flat_map(|(&point, &weight)| std::iter::repeat_n(point, weight as usize))
        .collect()
}

/// Points with ties among them.
fn points() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![(-4_i8..4).prop_map(f64::from), -10.0..10.0], 1..24)
}

fn orders() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1.0), Just(2.0), Just(f64::INFINITY), 1.0..6.0]
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1e-3)
}

proptest! {
    #[test]
    fn agrees_with_matched_atoms(x in points(), y in points(), p in orders()) {
        let (ours, exact) = (distance(&x, &y, p), naive::wasserstein::wasserstein_1d(&x, &y, p));
        prop_assert!(close(ours, exact), "{ours} vs {exact}");
    }

    #[test]
    fn is_a_metric(x in points(), y in points(), z in points(), p in orders()) {
        prop_assert_eq!(distance(&x, &x, p), 0.0);
        prop_assert!(close(distance(&x, &y, p), distance(&y, &x, p)));
        prop_assert!(distance(&x, &z, p) <= distance(&x, &y, p) + distance(&y, &z, p) + 1e-12);
    }

    #[test]
    fn grows_with_p_and_scales_exactly(x in points(), y in points(), p in 1.0..5.0, k in -40_i32..40) {
        prop_assert!(distance(&x, &y, p) <= distance(&x, &y, p + 1.0) + 1e-12);
        let factor = f64::from(k).exp2();
        let scaled = |points: &[f64]| points.iter().map(|v| v * factor).collect::<Vec<_>>();
        prop_assert_eq!(distance(&scaled(&x), &scaled(&y), p), factor * distance(&x, &y, p));
    }

    #[test]
    fn weights_are_repetitions(one in weighted(), two in weighted(), p in orders(), turns in 0.5..8.0) {
        let (a, b) = (shares(&one.1), shares(&two.1));
        let given = Samples { x_weights: Some(&a), y_weights: Some(&b), ..samples(&one.0, &two.0) };
        let (x, y) = (repeated(&one), repeated(&two));
        let never = Interrupt::new();
        let ours = wasserstein::wasserstein_1d(given, p, &never).unwrap()[0];
        prop_assert!(close(ours, distance(&x, &y, p)), "{ours} vs {}", distance(&x, &y, p));
        let ours = wasserstein::cramer_distance(given, &never).unwrap()[0];
        let exact = naive::wasserstein::cramer_distance(&x, &y);
        prop_assert!((ours - exact).abs() <= 1e-7, "{ours} vs {exact}");
        let ours = wasserstein::wasserstein_circle(given, p, turns, &never).unwrap()[0];
        let exact = naive::wasserstein::wasserstein_circle(&x, &y, p, turns);
        prop_assert!((ours - exact).abs() <= 1e-9, "{ours} vs {exact}");
    }

    #[test]
    fn the_coupling_is_proved_optimal_by_its_duals(one in weighted(), two in weighted(), p in 1.0..4.0) {
        let (a, b) = (shares(&one.1), shares(&two.1));
        let given = Samples { x_weights: Some(&a), y_weights: Some(&b), ..samples(&one.0, &two.0) };
        let found = wasserstein::coupling_1d(given, p, &Interrupt::new()).unwrap();
        prop_assert!(found.mass.len() < a.len() + b.len());
        let cost = |i: usize, j: usize| (one.0[i] - two.0[j]).abs().powf(p);
        for i in 0..a.len() {
            for j in 0..b.len() {
                prop_assert!(found.dual_x[i] + found.dual_y[j] <= cost(i, j) + 1e-9 * (1.0 + cost(i, j)));
            }
        }
        let cells = found.rows.iter().zip(&found.cols).zip(&found.mass);
        let primal: f64 = cells.map(|((&i, &j), mass)| mass * cost(i as usize, j as usize)).sum();
        let dual = |masses: &[f64], duals: &[f64]| masses.iter().zip(duals).map(|(m, d)| m * d).sum::<f64>();
        let dual = dual(&a, &found.dual_x) + dual(&b, &found.dual_y);
        prop_assert!((primal - dual).abs() <= 1e-9 * (1.0 + primal), "{primal} vs {dual}");
    }

    #[test]
    fn clouds_agree_with_all_pairs(x in prop::collection::vec(-5.0..5.0, 1..20), y in prop::collection::vec(-5.0..5.0, 1..20)) {
        let (x, y) = (x.repeat(3), y.repeat(3));
        let clouds = Clouds { x: &x, y: &y, dim: 3 };
        let ours = wasserstein::energy_distance(clouds, &Interrupt::new()).unwrap();
        let exact = naive::wasserstein::energy_distance(&x, &y, 3);
        prop_assert!((ours - exact).abs() <= 1e-6, "{ours} vs {exact}");
        let sliced = wasserstein::sliced_wasserstein(clouds, 2.0, 9, 5, &Interrupt::new()).unwrap();
        let best = wasserstein::max_sliced_wasserstein(clouds, 2.0, 9, 5, &Interrupt::new()).unwrap();
        prop_assert!(sliced <= best.value + 1e-9);
    }

    #[test]
    fn repeated_samples_change_nothing(x in points(), y in points(), times in 1_usize..5) {
        let repeated = x.repeat(times);
        prop_assert!(close(distance(&repeated, &y, 2.0), distance(&x, &y, 2.0)));
    }
}

#[test]
fn parallel_lines_are_theta_apart_to_the_last_bit() {
    let z: Vec<f64> = (0..64).map(|k| f64::from(k) / 64.0).collect();
    for theta in [0.0, 0.125, 1.0, 1024.0] {
        let moved: Vec<f64> = z.iter().map(|v| v + theta).collect();
        for p in [1.0, 2.0, f64::INFINITY] {
            assert_eq!(distance(&z, &moved, p), theta);
        }
    }
}

#[test]
fn no_power_and_no_size_overflows() {
    assert_eq!(distance(&[0.0, 0.0], &[0.0, 1e-3], 538.0), 1e-3 * 0.5_f64.powf(1.0 / 538.0));
    assert_eq!(distance(&[1e200], &[-1e200], 3.0), 2e200);
    assert_eq!(distance(&[f64::MAX, f64::MAX], &[f64::MAX, -f64::MAX], 1.0), f64::MAX);
}

#[test]
fn rows_threads_and_instruction_sets_do_not_change_a_bit() {
    let (rows, n, m) = (50, 101, 77);
    let draw = |i: usize| ((i as u64 * 2_654_435_761) % 10_007) as f64 / 7.0;
    let x: Vec<f64> = (0..rows * n).map(draw).collect();
    let y: Vec<f64> = (0..rows * m).map(|i| draw(i + 31)).collect();
    let expected: Vec<f64> = x.chunks(n).zip(y.chunks(m)).map(|(x, y)| distance(x, y, 1.5)).collect();
    for isa in [Isa::Scalar, Isa::V3, Isa::V4].into_iter().filter(|isa| isa.is_available()) {
        simd::force(isa).unwrap();
        pool::set_num_threads(3).unwrap();
        let samples = Samples { n, m, rows, ..samples(&x, &y) };
        assert_eq!(wasserstein::wasserstein_1d(samples, 1.5, &Interrupt::new()).unwrap(), expected);
    }
}

#[test]
fn clouds_give_the_same_bits_on_any_threads_and_instruction_set() {
    let draw = |i: usize| ((i as u64 * 2_654_435_761) % 10_007) as f64 / 1001.0;
    let (x, y): (Vec<f64>, Vec<f64>) =
        ((0..707).map(draw).collect(), (0..504).map(|i| draw(i + 3)).collect());
    let clouds = Clouds { x: &x, y: &y, dim: 7 };
    let never = Interrupt::new();
    let all = || {
        (
            wasserstein::sliced_wasserstein(clouds, 2.0, 21, 0, &never).unwrap(),
            wasserstein::max_sliced_wasserstein(clouds, 2.0, 21, 0, &never).unwrap(),
            wasserstein::energy_distance(clouds, &never).unwrap(),
        )
    };
    let expected = all();
    for isa in [Isa::Scalar, Isa::V3, Isa::V4].into_iter().filter(|isa| isa.is_available()) {
        simd::force(isa).unwrap();
        for threads in [1, 3] {
            pool::set_num_threads(threads).unwrap();
            assert_eq!(all(), expected);
        }
    }
}

#[test]
fn refuses_weights_by_index_and_totals_that_differ() {
    let refuse = |a: &[f64], b: &[f64]| {
        let given = Samples { x_weights: Some(a), y_weights: Some(b), ..samples(&[0.0, 1.0], &[0.0]) };
        wasserstein::wasserstein_1d(given, 1.0, &Interrupt::new()).unwrap_err().to_string()
    };
    assert!(
        refuse(&[0.5, f64::NAN], &[1.0]).contains("`x_weights`")
            && refuse(&[0.5, f64::NAN], &[1.0]).contains("index 1")
    );
    assert!(refuse(&[-1.0, 2.0], &[1.0]).contains("-1 at index 0"));
    assert!(refuse(&[0.0, 0.0], &[1.0]).contains("positive total"));
    assert!(refuse(&[1.0, 1.0], &[1.0]).ends_with("`x_weights`, 2; got 1"));
}

#[test]
fn refuses_what_is_no_sample() {
    let refuse = |x: &[f64], y: &[f64], p: f64| {
        wasserstein::wasserstein_1d(samples(x, y), p, &Interrupt::new()).unwrap_err()
    };
    assert!(matches!(refuse(&[f64::NAN], &[0.0], 1.0), Error::Domain { argument: "x", .. }));
    assert!(matches!(refuse(&[0.0], &[1.0, f64::INFINITY], 1.0), Error::Domain { argument: "y", .. }));
    assert!(matches!(refuse(&[], &[0.0], 1.0), Error::Shape { argument: "x", .. }));
    for p in [0.5, f64::NAN, -1.0] {
        assert!(matches!(refuse(&[0.0], &[0.0], p), Error::Domain { argument: "p", .. }));
    }
}
