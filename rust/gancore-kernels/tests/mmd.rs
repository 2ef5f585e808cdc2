//! Maximum mean discrepancy against its definition, and the laws it obeys.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod mmd;
}

use gancore_kernels::error::Error;
use gancore_kernels::mmd::{self, Kernel, Samples};
use gancore_kernels::pool::{self, Interrupt};
use proptest::prelude::*;

fn kernels() -> [Kernel; 4] {
    [
        Kernel::Polynomial { degree: 3, gamma: 0.3, coef0: 1.0 },
        Kernel::Polynomial { degree: 2, gamma: 1.0, coef0: 0.0 },
        Kernel::Rbf(vec![0.5, 2.0]),
        Kernel::RationalQuadratic(vec![0.2, 1.0]),
    ]
}

fn rows(d: usize) -> impl Strategy<Value = Vec<Vec<f64>>> {
    prop::collection::vec(prop::collection::vec(-2.0..2.0, d), 2..20)
}

fn pairs() -> impl Strategy<Value = (Vec<Vec<f64>>, Vec<Vec<f64>>)> {
    (1_usize..6).prop_flat_map(|d| (rows(d), rows(d)))
}

fn ours(x: &[Vec<f64>], y: &[Vec<f64>], kernel: &Kernel, unbiased: bool) -> (f64, f64) {
    let samples = Samples { x: &x.concat(), y: &y.concat(), d: x[0].len(), kernel, unbiased };
    mmd::mmd2(samples, &Interrupt::new()).unwrap()
}

proptest! {
    #[test]
    fn agrees_with_the_definition((x, y) in pairs()) {
        for kernel in kernels() {
            for unbiased in [true, false] {
                let exact = naive::mmd::mmd2(&x, &y, &kernel, unbiased);
                let (value, _) = ours(&x, &y, &kernel, unbiased);
                prop_assert!((value - exact).abs() <= 1e-9, "{value:e} vs {exact:e}");
            }
        }
    }

    #[test]
    fn is_symmetric_and_its_biased_form_not_negative((x, y) in pairs()) {
        for kernel in kernels() {
            let (value, error) = ours(&x, &y, &kernel, false);
            let (swapped, swapped_error) = ours(&y, &x, &kernel, false);
            prop_assert!(value >= -1e-11 && (value - swapped).abs() <= 1e-11);
            prop_assert!(error.is_nan() || (error - swapped_error).abs() <= 1e-6 * (1.0 + error));
        }
    }
}

/// Rows for several tiles and blocks; few rows behind the last whole tile belong to it.
#[test]
fn agrees_with_the_definition_over_several_tiles() {
    let row = |i: usize| (0..3).map(|j| ((i * 7 + j * 5) * 7919 % 1009) as f64 / 500.0).collect();
    for (n, m) in [(240 + 48, 2 * 240 + 1), (289, 1200), (5 * 240 + 47, 700)] {
        let (x, y): (Vec<Vec<f64>>, Vec<Vec<f64>>) =
            ((0..n).map(row).collect(), (5..m + 5).map(row).collect());
        for kernel in kernels() {
            let exact = naive::mmd::mmd2(&x, &y, &kernel, true);
            let (value, _) = ours(&x, &y, &kernel, true);
            assert!((value - exact).abs() <= 1e-9, "{value:e} vs {exact:e}");
        }
    }
}

#[test]
fn is_the_same_bits_on_any_threads() {
    let (n, d) = (2200, 3);
    let x: Vec<f32> = (0..n * d).map(|i| (i * 7919 % 1009) as f32 / 500.0).collect();
    let y: Vec<f32> = x.iter().rev().map(|v| v + 0.1).collect();
    let kernel = &kernels()[0];
    let indices: Vec<i64> = (0..600).map(|i| i * 3).collect();
    let run = |threads| {
        pool::set_num_threads(threads).unwrap();
        let samples = Samples { x: &x, y: &y, d, kernel, unbiased: true };
        let whole = mmd::mmd2(samples, &Interrupt::new()).unwrap();
        (whole, mmd::mmd2_subsets(samples, &indices, &indices, 100, &Interrupt::new()).unwrap())
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn refuses_what_it_cannot_take() {
    let (x, kernel) = ([1.0, 2.0, 3.0, 4.0], &kernels()[0]);
    let refuse = |samples: Samples<'_, f64>| mmd::mmd2(samples, &Interrupt::new()).unwrap_err();
    let good = Samples { x: &x, y: &x, d: 2, kernel, unbiased: true };
    assert!(matches!(refuse(Samples { x: &x[..2], ..good }), Error::Shape { argument: "x", .. }));
    assert!(matches!(refuse(Samples { y: &[f64::NAN; 4], ..good }), Error::Domain { argument: "y", .. }));
    let bad = Kernel::Rbf(vec![1.0, 0.0]);
    assert!(matches!(refuse(Samples { kernel: &bad, ..good }), Error::Domain { argument: "bandwidth", .. }));
    let subsets = |rows: &[i64]| mmd::mmd2_subsets(good, rows, &[0, 1], 2, &Interrupt::new());
    assert!(matches!(subsets(&[0, 2]), Err(Error::Domain { argument: "x_rows", .. })));
    assert!(matches!(subsets(&[0, -1]), Err(Error::Domain { argument: "x_rows", .. })));
    let interrupt = Interrupt::new();
    interrupt.raise();
    assert_eq!(mmd::mmd2(good, &interrupt), Err(Error::Interrupted));
}
