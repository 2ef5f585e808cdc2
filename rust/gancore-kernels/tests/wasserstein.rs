//! Wasserstein distances on the line against atoms matched one by one, and the laws of a metric.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod wasserstein;
}

use gancore_kernels::error::Error;
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::simd::{self, Isa};
use gancore_kernels::wasserstein::{self, Samples};
use proptest::prelude::*;

fn distance(x: &[f64], y: &[f64], p: f64) -> f64 {
    let samples = Samples { x, y, n: x.len(), m: y.len(), rows: 1 };
    wasserstein::wasserstein_1d(samples, p, &Interrupt::new()).unwrap()[0]
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
        let samples = Samples { x: &x, y: &y, n, m, rows };
        assert_eq!(wasserstein::wasserstein_1d(samples, 1.5, &Interrupt::new()).unwrap(), expected);
    }
}

#[test]
fn refuses_what_is_no_sample() {
    let refuse = |x: &[f64], y: &[f64], p: f64| {
        let samples = Samples { x, y, n: x.len(), m: y.len(), rows: 1 };
        wasserstein::wasserstein_1d(samples, p, &Interrupt::new()).unwrap_err()
    };
    assert!(matches!(refuse(&[f64::NAN], &[0.0], 1.0), Error::Domain { argument: "x", .. }));
    assert!(matches!(refuse(&[0.0], &[1.0, f64::INFINITY], 1.0), Error::Domain { argument: "y", .. }));
    assert!(matches!(refuse(&[], &[0.0], 1.0), Error::Shape { argument: "x", .. }));
    for p in [0.5, f64::NAN, -1.0] {
        assert!(matches!(refuse(&[0.0], &[0.0], p), Error::Domain { argument: "p", .. }));
    }
}
