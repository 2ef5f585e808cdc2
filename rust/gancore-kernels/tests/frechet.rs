//! The trace against Jacobi's rotations and closed forms, singular matrices among them.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod frechet;
}

use gancore_kernels::error::Error;
use gancore_kernels::frechet::{self, Gaussian, Matrix, Outcome, Rows, Way};
use gancore_kernels::moments::Moments;
use gancore_kernels::pool::Interrupt;
use gancore_kernels::rng::{Address, Stream};
use proptest::prelude::*;

fn normals(n: usize, d: usize, seed: u64) -> Vec<f64> {
    let mut x = vec![0.0; n * d];
    Address { seed, stream: Stream::Initial, step: 0 }.normals(0, d, &mut x);
    x
}

/// X^T X / n for n rows of normals: of rank min(n, d).
fn gram(n: usize, d: usize, seed: u64) -> Vec<f64> {
    let x = normals(n, d, seed);
    let entry = |i: usize, j: usize| x.chunks(d).map(|r| r[i] * r[j]).sum::<f64>() / n as f64;
    (0..d * d).map(|at| entry(at / d, at % d)).collect()
}

fn outcome(a: &[f64], b: &[f64], d: usize) -> Result<Outcome, Error> {
    let (a, b) = (Matrix { argument: "a", entries: a }, Matrix { argument: "b", entries: b });
    frechet::trace_sqrt_product(a, b, d, f64::EPSILON, &Interrupt::new())
}

fn trace(a: &[f64], b: &[f64], d: usize) -> f64 {
    outcome(a, b, d).unwrap().value
}

fn matrix(a: &[f64], d: usize) -> Vec<Vec<f64>> {
    a.chunks(d).map(<[f64]>::to_vec).collect()
}

proptest! {
    #[test]
    fn agrees_with_the_definition(d in 1_usize..9, seed: u64) {
        let (a, b) = (gram(3 * d, d, seed), gram(3 * d, d, seed ^ 1));
        let exact = naive::frechet::trace_sqrt_product(&matrix(&a, d), &matrix(&b, d));
        prop_assert!((trace(&a, &b, d) - exact).abs() <= 1e-10 * exact);
        prop_assert!((trace(&a, &b, d) - trace(&b, &a, d)).abs() <= 1e-12 * exact);
    }

    #[test]
    fn of_equal_matrices_is_their_trace_whatever_their_rank(d in 1_usize..12, n in 1_usize..20, seed: u64) {
        let a = gram(n, d, seed);
        let exact: f64 = (0..d).map(|i| a[i * d + i]).sum();
        prop_assert!((trace(&a, &a, d) - exact).abs() <= 1e-11 * exact, "{} vs {exact}", trace(&a, &a, d));
    }

    #[test]
    fn singular_matrices_give_the_nuclear_norm_of_their_data(d in 4_usize..12, n in 1_usize..4, m in 1_usize..4, seed: u64) {
        // tr (A B)^(1/2) is the sum of singular values of X Y^T / sqrt(n m), here from the small product's Gram matrix.
        let (x, y) = (normals(n, d, seed), normals(m, d, seed ^ 1));
        let dot = |i: usize, j: usize| (0..d).map(|k| x[i * d + k] * y[j * d + k]).sum::<f64>();
        let cross: Vec<Vec<f64>> = (0..n).map(|i| (0..m).map(|j| dot(i, j)).collect()).collect();
        let small = |i: usize, j: usize| (0..m).map(|k| cross[i][k] * cross[j][k]).sum::<f64>();
        let values = naive::frechet::eigen((0..n).map(|i| (0..n).map(|j| small(i, j)).collect()).collect()).0;
        let exact: f64 = values.into_iter().map(|v| v.max(0.0).sqrt()).sum::<f64>() / ((n * m) as f64).sqrt();
        let ours = trace(&gram(n, d, seed), &gram(m, d, seed ^ 1), d);
        prop_assert!((ours - exact).abs() <= 1e-6 * exact.max(1e-3), "{ours} vs {exact}");
    }

    #[test]
    fn powers_of_two_scale_exactly(seed: u64, k in -200_i32..200) {
        let (d, a, b) = (5, gram(9, 5, seed), gram(9, 5, seed ^ 1));
        let factor = f64::from(2 * k).exp2();
        let scaled: Vec<f64> = a.iter().map(|v| v * factor).collect();
        prop_assert_eq!(trace(&scaled, &b, d), trace(&a, &b, d) * f64::from(k).exp2());
    }
}

#[test]
fn commuting_matrices_of_condition_1e12_keep_ten_digits() {
    for d in [16, 64] {
        let spread =
            |power: f64| (0..d).map(|i| 10_f64.powf(-power * i as f64 / (d - 1) as f64)).collect::<Vec<_>>();
        let values = spread(12.0);
        // One rotation for both: they commute, and the trace is the sum of the roots of the eigenvalues' products.
        let (_, v) = naive::frechet::eigen(matrix(&gram(2 * d, d, 5), d));
        let rotated = |values: &[f64]| {
            let entry = |i: usize, j: usize| (0..d).map(|k| v[i][k] * values[k] * v[j][k]).sum::<f64>();
            let full: Vec<f64> = (0..d * d).map(|at| entry(at / d, at % d)).collect();
            (0..d * d).map(|at| 0.5 * (full[at] + full[at % d * d + at / d])).collect::<Vec<_>>()
        };
        let exact: f64 = values.iter().zip(spread(6.0)).map(|(l, r)| (l * r).sqrt()).sum();
        let ours = trace(&rotated(&values), &rotated(&spread(6.0)), d);
        assert!((ours - exact).abs() <= 1e-10 * exact, "{d}: {ours} vs {exact}");
    }
}

#[test]
fn disjoint_ranges_and_dead_features_are_exact() {
    let diagonal = |values: &[f64]| {
        let d = values.len();
        (0..d * d).map(|at| if at % (d + 1) == 0 { values[at / d] } else { 0.0 }).collect::<Vec<_>>()
    };
    assert_eq!(trace(&diagonal(&[1.0, 0.0, 2.0]), &diagonal(&[0.0, 3.0, 0.0]), 3), 0.0);
    assert!((trace(&diagonal(&[4.0, 0.0, 1.0]), &diagonal(&[1.0, 9.0, 0.0]), 3) - 2.0).abs() < 1e-15);
    assert_eq!(trace(&diagonal(&[0.0; 3]), &diagonal(&[1.0; 3]), 3), 0.0);
}

#[test]
fn the_way_and_the_ranks_are_told() {
    let d = 12;
    let told = |n, m| {
        let Outcome { way, ranks, .. } = outcome(&gram(n, d, 1), &gram(m, d, 2), d).unwrap();
        (way, ranks)
    };
    assert_eq!(told(40, 40), (Way::Eigenvalues, [12, 12]));
    assert_eq!(told(5, 40), (Way::SingularValues, [5, 12]));
    assert_eq!(told(40, 3), (Way::SingularValues, [12, 3]));
}

#[test]
fn the_arguments_may_be_exchanged_to_the_last_bit() {
    for (n, m) in [(40, 30), (5, 40), (5, 3)] {
        let (a, b) = (gram(n, 12, 1), gram(m, 12, 2));
        assert_eq!(trace(&a, &b, 12), trace(&b, &a, 12));
    }
}

#[test]
fn roots_of_matrices_square_to_them() {
    for (d, n) in [(1, 3), (9, 30), (9, 4), (200, 50)] {
        let a = gram(n, d, 7);
        let matrix = Matrix { argument: "a", entries: &a };
        let root = frechet::sqrtm_psd(matrix, d, f64::EPSILON, &Interrupt::new()).unwrap();
        for i in 0..d {
            for j in 0..d {
                let square: f64 = (0..d).map(|k| root[i * d + k] * root[k * d + j]).sum();
                assert!((square - a[i * d + j]).abs() <= 1e-12 * d as f64);
            }
        }
    }
}

#[test]
fn samples_few_or_many_give_the_distance_of_their_gaussians() {
    let d = 10;
    for (n, m) in [(30, 40), (6, 40), (40, 6), (6, 5), (10, 11), (2, 2)] {
        let (x, y) = (normals(n, d, 1), normals(m, d, 2));
        let distance = |x: &[f64], y: &[f64]| {
            let (x, y) = (Rows { argument: "x", features: x }, Rows { argument: "y", features: y });
            frechet::distance_from_features(x, y, d, &Interrupt::new()).unwrap()
        };
        let gaussian = |argument, rows: &[f64]| {
            let mut state = Moments::new(d).unwrap();
            state.insert(rows, &Interrupt::new()).unwrap();
            Gaussian { argument, mean: state.mean().unwrap(), covariance: state.covariance().unwrap() }
        };
        let (real, fake) = (gaussian("real", &x), gaussian("fake", &y));
        let exact = frechet::distance(&real, &fake, f64::EPSILON, &Interrupt::new()).unwrap();
        let found = distance(&x, &y);
        assert!((found.value - exact.value).abs() <= 1e-10 * exact.value, "{found:?} {exact:?}");
        let traces: f64 = (0..d).map(|i| real.covariance[i * d + i]).sum();
        assert!(distance(&x, &x).value <= 1e-10 * traces);
    }
}

#[test]
fn distances_of_gaussians_on_the_line_are_exact() {
    let gaussian = |argument, mean: &[f64], covariance: &[f64]| Gaussian {
        argument,
        mean: mean.to_vec(),
        covariance: covariance.to_vec(),
    };
    let distance = |real: &Gaussian, fake: &Gaussian| {
        frechet::distance(real, fake, f64::EPSILON, &Interrupt::new()).map(|outcome| outcome.value)
    };
    let (a, b) = (gaussian("real", &[1.0], &[4.0]), gaussian("fake", &[-2.0], &[9.0]));
    assert_eq!(distance(&a, &b).unwrap(), 9.0 + (2.0_f64 - 3.0).powi(2));
    assert_eq!(distance(&a, &a).unwrap(), 0.0);
    assert!(matches!(
        distance(&a, &gaussian("fake", &[0.0, 0.0], &[1.0; 4])),
        Err(Error::Shape { argument: "fake", .. })
    ));
}

#[test]
fn refuses_what_is_no_covariance_by_name() {
    let refuse = |a: &[f64]| outcome(a, &[1.0, 0.0, 0.0, 1.0], 2).unwrap_err();
    assert!(matches!(refuse(&[1.0, 0.0, 0.5, 1.0]), Error::Domain { argument: "a", .. }));
    assert!(matches!(refuse(&[1.0, f64::NAN, 0.0, 1.0]), Error::Domain { argument: "a", .. }));
    for indefinite in
        [[1.0, 0.0, 0.0, -1.0], [0.0, 1.0, 1.0, 0.0], [1.0, 2.0, 2.0, 1.0], [1.0, 1.000_01, 1.000_01, 1.0]]
    {
        let error = refuse(&indefinite);
        assert!(
            matches!(error, Error::NotPositiveDefinite { argument: "a", .. }),
            "{indefinite:?}: {error:?}"
        );
    }
    assert!(matches!(refuse(&[1.0]), Error::Shape { argument: "a", .. }));
}
