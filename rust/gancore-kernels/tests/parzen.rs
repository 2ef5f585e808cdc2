//! Parzen windows against their definition, where distances cancel, and on bad input.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod parzen;
}

use gancore_kernels::error::Error;
use gancore_kernels::parzen::{Matrix, log_likelihood};
use gancore_kernels::pool::{self, Interrupt};
use proptest::prelude::*;

fn run(samples: &[f64], points: &[f64], dim: usize, bandwidths: &[f64]) -> Vec<f64> {
    let (samples, points) = (Matrix { values: samples, dim }, Matrix { values: points, dim });
    log_likelihood(samples, points, bandwidths, &Interrupt::new()).unwrap()
}

fn drawn(count: usize, seed: u64) -> Vec<f64> {
    (0..count).map(|i| ((i as u64 * 2_654_435_761 + seed * 97) % 1009) as f64 / 1009.0).collect()
}

proptest! {
    #[test]
    fn agrees_with_the_definition(
        (dim, samples, points) in (1_usize..6).prop_flat_map(|dim| (
            Just(dim),
            prop::collection::vec(-5.0..5.0, dim..=dim * 7).prop_map(move |v| v[..v.len() / dim * dim].to_vec()),
            prop::collection::vec(-5.0..5.0, dim..=dim * 7).prop_map(move |v| v[..v.len() / dim * dim].to_vec()),
        )),
        bandwidth in 0.01..3.0,
        offset in prop_oneof![Just(0.0), Just(1e3)],
    ) {
        let shifted = |v: &[f64]| v.iter().map(|x| x + offset).collect::<Vec<_>>();
        let (samples, points) = (shifted(&samples), shifted(&points));
        let ours = run(&samples, &points, dim, &[bandwidth, 2.0 * bandwidth]);
        let mut exact = naive::parzen::log_likelihood(&samples, &points, dim, bandwidth);
        exact.extend(naive::parzen::log_likelihood(&samples, &points, dim, 2.0 * bandwidth));
        for (ours, exact) in ours.iter().zip(&exact) {
            prop_assert!((ours - exact).abs() <= 1e-9 + 1e-11 * exact.abs(), "{ours} vs {exact}");
        }
    }
}

#[test]
fn blocks_and_threads_do_not_show() {
    let (dim, samples, points) = (9, drawn(9 * 1300, 1), drawn(9 * 300, 2));
    pool::set_num_threads(1).unwrap();
    let one = run(&samples, &points, dim, &[0.1, 0.7]);
    pool::set_num_threads(3).unwrap();
    assert_eq!(run(&samples, &points, dim, &[0.1, 0.7]), one);
    for (at, exact) in naive::parzen::log_likelihood(&samples, &points, dim, 0.1).iter().enumerate() {
        assert!((one[at] - exact).abs() <= 1e-10, "{at}");
    }
}

#[test]
fn a_point_on_a_sample_far_out_keeps_its_digits() {
    // |x|^2 is 1e12 and the distance 1e-6: the product form would be off by about 1e-4 / (2 h^2).
    let (samples, points) = ([0.0, 1e6, -1e6, 3.0], [1e6 + 1e-6]);
    let (ours, exact) =
        (run(&samples, &points, 1, &[1e-6]), naive::parzen::log_likelihood(&samples, &points, 1, 1e-6));
    assert!((ours[0] - exact[0]).abs() <= 1e-3, "{} vs {}", ours[0], exact[0]);
}

#[test]
fn refuses_bad_input_by_name() {
    let refuse = |samples: &[f64], points: &[f64], dims: (usize, usize), bandwidths: &[f64]| {
        let (samples, points) =
            (Matrix { values: samples, dim: dims.0 }, Matrix { values: points, dim: dims.1 });
        log_likelihood(samples, points, bandwidths, &Interrupt::new()).unwrap_err()
    };
    assert!(matches!(refuse(&[], &[1.0], (1, 1), &[1.0]), Error::Shape { argument: "samples", .. }));
    assert!(matches!(refuse(&[1.0], &[1.0, 2.0], (1, 2), &[1.0]), Error::Shape { argument: "points", .. }));
    assert!(matches!(refuse(&[1.0], &[1.0], (1, 1), &[]), Error::Shape { argument: "bandwidth", .. }));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-200] {
        let error = refuse(&[1.0], &[1.0], (1, 1), &[1.0, bad]);
        assert!(matches!(error, Error::Domain { argument: "bandwidth", .. }), "{bad}");
    }
    assert!(matches!(refuse(&[f64::NAN], &[1.0], (1, 1), &[1.0]), Error::Domain { argument: "samples", .. }));
    let error = refuse(&[1.0], &[1.0, f64::INFINITY], (1, 1), &[1.0]);
    assert!(error.to_string().contains("row 1, column 0"), "{error}");
}

#[test]
fn stops_when_asked() {
    let interrupt = Interrupt::new();
    interrupt.raise();
    let one = Matrix { values: &[1.0], dim: 1 };
    assert_eq!(log_likelihood(one, one, &[1.0], &interrupt), Err(Error::Interrupted));
}
