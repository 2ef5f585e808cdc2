//! Eigenvalues against Jacobi's rotations, known spectra and the invariants of a matrix.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod eigen;
}

use gancore_kernels::error::Error;
use gancore_kernels::linalg::eigen::symmetric_eigenvalues;
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rng::{Address, Stream};
use gancore_kernels::simd::{self, Isa};
use proptest::prelude::*;

fn eigenvalues(a: &[f64], n: usize) -> Vec<f64> {
    symmetric_eigenvalues(&mut a.to_vec(), n, &Interrupt::new()).unwrap()
}

fn normals(n: usize, seed: u64) -> Vec<f64> {
    let mut x = vec![0.0; n];
    Address { seed, stream: Stream::Initial, step: 0 }.normals(0, n, &mut x);
    x
}

fn symmetric(n: usize, seed: u64) -> Vec<f64> {
    let x = normals(n * n, seed);
    (0..n * n).map(|at| x[at] + x[at % n * n + at / n]).collect()
}

/// H ... H diag(values) H ... H for a few random reflectors H: a dense matrix of known spectrum.
fn with_spectrum(values: &[f64], seed: u64) -> Vec<f64> {
    let n = values.len();
    let mut a = vec![0.0; n * n];
    for i in 0..n {
        a[i * n + i] = values[i];
    }
    for round in 0..3 {
        let v = normals(n, seed + round);
        let squares: f64 = v.iter().map(|x| x * x).sum();
        for _ in 0..2 {
            for row in a.chunks_mut(n) {
                let weight = 2.0 * row.iter().zip(&v).map(|(x, y)| x * y).sum::<f64>() / squares;
                row.iter_mut().zip(&v).for_each(|(x, y)| *x -= weight * y);
            }
            a = (0..n * n).map(|at| a[at % n * n + at / n]).collect();
        }
    }
    a
}

fn assert_close(ours: &[f64], exact: &[f64], case: &str) {
    let n = exact.len();
    let norm = exact.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    assert_eq!(ours.len(), n, "{case}");
    assert!(ours.is_sorted(), "{case}");
    let mut exact = exact.to_vec();
    exact.sort_by(f64::total_cmp);
    for (i, (x, y)) in ours.iter().zip(&exact).enumerate() {
        assert!(
            (x - y).abs() <= (n + 10) as f64 * f64::EPSILON * norm,
            "{case}: {x} is not {y} at {i} of {n}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn agree_with_rotations(n in 1_usize..40, seed: u64, zeros in 0_usize..3) {
        let mut a = symmetric(n, seed);
        // Whole rows and columns of zeros: the matrix falls apart.
        for k in (0..n).filter(|k| zeros > 0 && k % (zeros + 1) == 0) {
            for i in (0..n).filter(|&i| i != k) {
                (a[i * n + k], a[k * n + i]) = (0.0, 0.0);
            }
        }
        let exact = naive::eigen::eigenvalues(a.chunks(n).map(<[f64]>::to_vec).collect());
        assert_close(&eigenvalues(&a, n), &exact, "rotations");
    }

    #[test]
    fn keep_trace_and_frobenius_norm(n in 1_usize..200, seed: u64) {
        let a = symmetric(n, seed);
        let values = eigenvalues(&a, n);
        let squares: f64 = a.iter().map(|x| x * x).sum();
        let trace: f64 = (0..n).map(|i| a[i * n + i]).sum();
        let tolerance = n as f64 * f64::EPSILON;
        prop_assert!((values.iter().sum::<f64>() - trace).abs() <= tolerance * (n as f64 * squares).sqrt());
        prop_assert!((values.iter().map(|x| x * x).sum::<f64>() - squares).abs() <= 10.0 * tolerance * squares);
    }

    #[test]
    fn scale_exactly_with_powers_of_two(n in 1_usize..50, seed: u64, k in -900_i32..900) {
        let a = symmetric(n, seed);
        let scaled: Vec<f64> = a.iter().map(|x| x * f64::from(k).exp2()).collect();
        let expected: Vec<f64> = eigenvalues(&a, n).iter().map(|x| x * f64::from(k).exp2()).collect();
        prop_assert_eq!(eigenvalues(&scaled, n), expected);
    }
}

#[test]
fn known_spectra_are_found_at_every_order() {
    for n in [1, 2, 3, 4, 31, 32, 33, 63, 64, 65, 97, 128, 131, 257, 300] {
        let at = |i: usize| i as f64 / n as f64;
        let spectra: [(&str, Vec<f64>); 6] = [
            ("linear", (0..n).map(|i| at(i) - 0.5).collect()),
            ("graded", (0..n).map(|i| 10_f64.powf(-16.0 * at(i))).collect()),
            ("clustered", (0..n).map(|i| 1.0 + (i % 3) as f64).collect()),
            ("almost equal", (0..n).map(|i| 1.0 + 1e-14 * at(i)).collect()),
            ("rank deficient", (0..n).map(|i| if i % 5 == 0 { 1.0 } else { 0.0 }).collect()),
            ("indefinite", (0..n).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect()),
        ];
        for (case, values) in spectra {
            assert_close(&eigenvalues(&with_spectrum(&values, n as u64), n), &values, case);
        }
    }
}

#[test]
fn the_laplacian_of_a_grid_has_sums_of_cosines() {
    let (k, n) = (13, 169);
    let mut a = vec![0.0; n * n];
    for i in 0..n {
        a[i * n + i] = 4.0;
        for (j, linked) in [(i + 1, i % k + 1 < k), (i + k, i + k < n)] {
            if linked {
                a[j * n + i] = -1.0;
            }
        }
    }
    let cosine = |i: usize| 2.0 - 2.0 * (std::f64::consts::PI * (i + 1) as f64 / (k + 1) as f64).cos();
    let exact: Vec<f64> = (0..n).map(|i| cosine(i / k) + cosine(i % k)).collect();
    assert_close(&eigenvalues(&a, n), &exact, "laplacian");
}

#[test]
fn wilkinsons_matrix_has_its_known_pair() {
    let n = 21;
    let mut a = vec![0.0; n * n];
    for i in 0..n {
        a[i * n + i] = (i as f64 - 10.0).abs();
        if i > 0 {
            a[i * n + i - 1] = 1.0;
        }
    }
    // Wilkinson, The Algebraic Eigenvalue Problem (1965), chapter 5, section 45: equal to fifteen digits.
    let values = eigenvalues(&a, n);
    assert!((values[20] - 10.746_194_182_903_393).abs() < 2e-14, "{}", values[20]);
    assert!((values[19] - 10.746_194_182_903_322).abs() < 2e-14, "{}", values[19]);
    assert!((values[0] + 1.125_441_522_119_985).abs() < 1e-14, "{}", values[0]);
}

#[test]
fn only_the_lower_triangle_is_read() {
    let n = 150;
    let a = symmetric(n, 4);
    let mut lower = a.clone();
    for i in 0..n {
        lower[i * n + i + 1..(i + 1) * n].fill(f64::NAN);
    }
    assert_eq!(eigenvalues(&lower, n), eigenvalues(&a, n));
}

#[test]
fn threads_do_not_change_a_bit_and_instruction_sets_hardly() {
    let n = 700;
    let a = symmetric(n, 9);
    let results: Vec<_> = [1, 2, 3]
        .into_iter()
        .map(|threads| {
            pool::set_num_threads(threads).unwrap();
            eigenvalues(&a, n)
        })
        .collect();
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
    let widest = simd::isa();
    simd::force(Isa::Scalar).unwrap();
    let scalar = eigenvalues(&a, n);
    simd::force(widest).unwrap();
    assert_close(&scalar, &results[0], "scalar");
}

#[test]
fn diagonal_zero_and_extreme_matrices_are_exact() {
    assert_eq!(eigenvalues(&[], 0), Vec::<f64>::new());
    assert_eq!(eigenvalues(&[-3.0], 1), [-3.0]);
    assert_eq!(eigenvalues(&vec![0.0; 50 * 50], 50), vec![0.0; 50]);
    let n = 90;
    let mut a = vec![0.0; n * n];
    let mut values = normals(n, 3);
    for i in 0..n {
        a[i * n + i] = values[i];
    }
    values.sort_by(f64::total_cmp);
    assert_eq!(eigenvalues(&a, n), values);
    let largest = f64::MAX / 4.0;
    assert_close(&eigenvalues(&[largest; 4], 2), &[0.0, 2.0 * largest], "large");
    let tiny = f64::from_bits(1);
    assert_eq!(eigenvalues(&[0.0, 0.0, tiny, 0.0], 2), [-tiny, tiny]);
}

#[test]
fn refuses_what_is_no_matrix_and_hears_the_request_to_stop() {
    let refuse = |a: &mut [f64], n| symmetric_eigenvalues(a, n, &Interrupt::new()).unwrap_err();
    assert!(matches!(refuse(&mut [1.0; 3], 2), Error::Shape { argument: "a", .. }));
    let Error::Domain { got, .. } = refuse(&mut [1.0, 0.0, f64::NAN, 1.0], 2) else { panic!() };
    assert_eq!(got, "NaN at (1, 0)");
    let interrupt = Interrupt::new();
    interrupt.raise();
    assert_eq!(symmetric_eigenvalues(&mut symmetric(70, 1), 70, &interrupt), Err(Error::Interrupted));
}
