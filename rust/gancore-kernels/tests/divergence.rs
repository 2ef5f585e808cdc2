//! Divergences against their definitions, and the laws they obey.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod divergence;
}

use gancore_kernels::divergence::{self, Rows};
use gancore_kernels::error::Error;
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::simd::{self, Isa};
use proptest::prelude::*;

type Kernel = fn(Rows<'_, f64>, &Interrupt) -> gancore_kernels::Result<Vec<f64>>;
type Twin = fn(&[f64], &[f64]) -> f64;

const KERNELS: [(Kernel, Twin); 3] = [
    (divergence::kl, naive::divergence::kl),
    (divergence::jensen_shannon, naive::divergence::jensen_shannon),
    (divergence::total_variation, naive::divergence::total_variation),
];

fn one(kernel: Kernel, p: &[f64], q: &[f64]) -> f64 {
    kernel(Rows { p, q, width: p.len(), normalize: true }, &Interrupt::new()).unwrap()[0]
}

/// Masses with zeros among them, but never all zero.
fn masses(width: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![1 => Just(0.0), 4 => 1e-6..1.0], width)
        .prop_filter("some mass", |m| m.iter().sum::<f64>() > 0.0)
}

fn pairs() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (1_usize..40).prop_flat_map(|width| (masses(width), masses(width)))
}

proptest! {
    #[test]
    fn agrees_with_the_definition((p, q) in pairs()) {
        for (kernel, twin) in KERNELS {
            let (ours, exact) = (one(kernel, &p, &q), twin(&p, &q));
            prop_assert!(ours == exact || (ours - exact).abs() <= 1e-13, "{ours:e} vs {exact:e}");
        }
    }

    #[test]
    fn is_zero_exactly_on_equal_rows_and_never_negative((p, q) in pairs()) {
        for (kernel, _) in KERNELS {
            prop_assert_eq!(one(kernel, &p, &p), 0.0);
            prop_assert!(one(kernel, &p, &q) >= 0.0);
        }
    }

    #[test]
    fn pinsker_and_the_bounds_of_jensen_shannon_hold((p, q) in pairs()) {
        let [kl, jsd, tv] = KERNELS.map(|(kernel, _)| one(kernel, &p, &q));
        prop_assert!(tv <= (0.5 * kl).sqrt() + 1e-12);
        prop_assert!(jsd <= std::f64::consts::LN_2 * tv + 1e-12);
        prop_assert!((jsd - one(divergence::jensen_shannon, &q, &p)).abs() <= 1e-15);
    }

    #[test]
    fn is_the_same_bits_on_any_threads_and_instruction_set(seed in 0_u64..1000) {
        let (rows, width) = (70, 1001);
        let draw = |i: usize| ((i as u64 * 2_654_435_761 + seed) % 1009) as f64 + 1.0;
        let p: Vec<f64> = (0..rows * width).map(draw).collect();
        let q: Vec<f64> = (0..rows * width).map(|i| draw(i + 17)).collect();
        let batch = Rows { p: &p, q: &q, width, normalize: true };
        for (kernel, _) in KERNELS {
            simd::force(Isa::Scalar).unwrap();
            pool::set_num_threads(1).unwrap();
            let expected = kernel(batch, &Interrupt::new()).unwrap();
            for isa in [Isa::Scalar, Isa::V3, Isa::V4] {
                if !isa.is_available() {
                    continue;
                }
                simd::force(isa).unwrap();
                pool::set_num_threads(3).unwrap();
                prop_assert_eq!(&kernel(batch, &Interrupt::new()).unwrap(), &expected);
            }
        }
    }
}

#[test]
fn keeps_nine_digits_when_the_rows_differ_by_a_trillionth() {
    // A power of two, so that both rows and their difference are stored exactly.
    let (delta, p) = ((-40_f64).exp2(), [0.25, 0.75]);
    let q = [p[0] + delta, p[1] - delta];
    let exact = 0.5 * delta * delta * (1.0 / p[0] + 1.0 / p[1]);
    let (kl, jsd) = (one(divergence::kl, &p, &q), one(divergence::jensen_shannon, &p, &q));
    assert!((kl - exact).abs() <= 1e-9 * exact, "{kl:e} vs {exact:e}");
    assert!((jsd - 0.25 * exact).abs() <= 1e-9 * exact, "{jsd:e} vs {:e}", 0.25 * exact);
}

#[test]
fn tiny_masses_do_not_break_the_conventions() {
    let tiny = f64::from_bits(1);
    assert!(one(divergence::kl, &[1.0, 0.0], &[1.0, tiny]) <= tiny);
    assert_eq!(one(divergence::kl, &[0.5, 0.5], &[1.0, 0.0]), f64::INFINITY);
    assert!(
        (one(divergence::jensen_shannon, &[1.0, 0.0], &[tiny, 1.0]) - std::f64::consts::LN_2).abs() < 1e-15
    );
}

#[test]
fn refuses_what_is_no_distribution() {
    let refuse = |p: &[f64], q: &[f64]| {
        divergence::kl(Rows { p, q, width: p.len(), normalize: false }, &Interrupt::new()).unwrap_err()
    };
    for bad in [[f64::NAN, 0.5], [-0.1, 1.1], [f64::INFINITY, 0.0], [0.5, 0.6], [0.0, 0.0]] {
        assert!(matches!(refuse(&bad, &[0.5, 0.5]), Error::Domain { argument: "p", .. }), "{bad:?}");
        assert!(matches!(refuse(&[0.5, 0.5], &bad), Error::Domain { argument: "q", .. }), "{bad:?}");
    }
    assert!(matches!(refuse(&[1.0], &[0.5, 0.5]), Error::Shape { .. }));
    let interrupt = Interrupt::new();
    interrupt.raise();
    let rows = Rows { p: &[1.0], q: &[1.0], width: 1, normalize: false };
    assert_eq!(divergence::kl(rows, &interrupt), Err(Error::Interrupted));
}
