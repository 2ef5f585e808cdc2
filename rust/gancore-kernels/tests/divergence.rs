//! Divergences against their definitions, and the laws they obey.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod divergence;
}

use gancore_kernels::divergence::{self, Measure, Rows};
use gancore_kernels::error::Error;
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::simd::{self, Isa};
use proptest::prelude::*;

type Twin = fn(&[f64], &[f64]) -> f64;

const MEASURES: [(Measure, Twin); 10] = [
    (Measure::Kl, naive::divergence::kl),
    (Measure::JensenShannon, naive::divergence::jensen_shannon),
    (Measure::TotalVariation, naive::divergence::total_variation),
    (Measure::ReverseKl, |p, q| naive::divergence::kl(q, p)),
    (Measure::SquaredHellinger, naive::divergence::squared_hellinger),
    (Measure::Hellinger, |p, q| (0.5 * naive::divergence::squared_hellinger(p, q)).sqrt()),
    (Measure::Pearson, naive::divergence::pearson),
    (Measure::Neyman, |p, q| naive::divergence::pearson(q, p)),
    (Measure::Alpha(2.0), |p, q| 0.5 * naive::divergence::pearson(p, q)),
    (Measure::Alpha(0.5), |p, q| 2.0 * naive::divergence::squared_hellinger(p, q)),
];

fn one(measure: Measure, p: &[f64], q: &[f64]) -> f64 {
    divergence::divergence(measure, Rows { p, q, width: p.len(), normalize: true }, &Interrupt::new())
        .unwrap()[0]
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
        for (measure, twin) in MEASURES {
            let (ours, exact) = (one(measure, &p, &q), twin(&p, &q));
            prop_assert!(ours == exact || (ours - exact).abs() <= 1e-13 * (1.0 + exact) || exact < 1e-6, "{ours:e} vs {exact:e}");
        }
    }

    #[test]
    fn is_zero_exactly_on_equal_rows_and_never_negative((p, q) in pairs()) {
        for (measure, _) in MEASURES {
            prop_assert_eq!(one(measure, &p, &p), 0.0);
            prop_assert!(one(measure, &p, &q) >= 0.0);
        }
    }

    #[test]
    fn pinsker_and_the_bounds_of_jensen_shannon_hold((p, q) in pairs()) {
        let [kl, jsd, tv, ..] = MEASURES.map(|(measure, _)| one(measure, &p, &q));
        prop_assert!(tv <= (0.5 * kl).sqrt() + 1e-12);
        prop_assert!(jsd <= std::f64::consts::LN_2 * tv + 1e-12);
        prop_assert!((jsd - one(Measure::JensenShannon, &q, &p)).abs() <= 1e-15);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn is_the_same_bits_on_any_threads_and_instruction_set(seed in 0_u64..1000) {
        let (rows, width) = (70, 1001);
        let draw = |i: usize| ((i as u64 * 2_654_435_761 + seed) % 1009) as f64 + 1.0;
        let p: Vec<f64> = (0..rows * width).map(draw).collect();
        let q: Vec<f64> = (0..rows * width).map(|i| draw(i + 17)).collect();
        let batch = Rows { p: &p, q: &q, width, normalize: true };
        for measure in MEASURES.map(|(measure, _)| measure).into_iter().chain([Measure::Renyi(3.0), Measure::Entropy, Measure::CrossEntropy]) {
            simd::force(Isa::Scalar).unwrap();
            pool::set_num_threads(1).unwrap();
            let expected = divergence::divergence(measure, batch, &Interrupt::new()).unwrap();
            for isa in [Isa::Scalar, Isa::V3, Isa::V4] {
                if !isa.is_available() {
                    continue;
                }
                simd::force(isa).unwrap();
                pool::set_num_threads(3).unwrap();
                prop_assert_eq!(&divergence::divergence(measure, batch, &Interrupt::new()).unwrap(), &expected);
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
    let (kl, jsd) = (one(Measure::Kl, &p, &q), one(Measure::JensenShannon, &p, &q));
    assert!((kl - exact).abs() <= 1e-9 * exact, "{kl:e} vs {exact:e}");
    assert!((jsd - 0.25 * exact).abs() <= 1e-9 * exact, "{jsd:e} vs {:e}", 0.25 * exact);
}

#[test]
fn tiny_masses_do_not_break_the_conventions() {
    let tiny = f64::from_bits(1);
    assert!(one(Measure::Kl, &[1.0, 0.0], &[1.0, tiny]) <= tiny);
    assert_eq!(one(Measure::Kl, &[0.5, 0.5], &[1.0, 0.0]), f64::INFINITY);
    assert!((one(Measure::JensenShannon, &[1.0, 0.0], &[tiny, 1.0]) - std::f64::consts::LN_2).abs() < 1e-15);
}

#[test]
fn orders_have_their_limits() {
    let (p, q) = ([0.5, 0.3, 0.2, 0.0], [0.1, 0.2, 0.3, 0.4]);
    let (kl, reverse) = (one(Measure::Kl, &p, &q), one(Measure::ReverseKl, &p[..3], &q[..3]));
    assert_eq!(one(Measure::Renyi(1.0), &p, &q), kl);
    assert_eq!(one(Measure::Alpha(1.0), &p, &q), kl);
    assert_eq!(one(Measure::Alpha(0.0), &p[..3], &q[..3]), reverse);
    assert!((one(Measure::Renyi(1.0 + 1e-9), &p, &q) - kl).abs() < 1e-8);
    assert!((one(Measure::Renyi(0.0), &p, &q) + 0.6_f64.ln()).abs() < 1e-15);
    assert!((one(Measure::Renyi(f64::INFINITY), &p, &q) - 5.0_f64.ln()).abs() < 1e-15);
    assert!((one(Measure::Renyi(1e6), &p, &q) - 5.0_f64.ln()).abs() < 1e-5);
    for bad in [f64::NAN, -1.0] {
        let rows = Rows { p: &p, q: &q, width: 4, normalize: false };
        assert!(divergence::divergence(Measure::Renyi(bad), rows, &Interrupt::new()).is_err());
    }
}

#[test]
fn information_is_what_the_marginals_leave() {
    let joint = [0.1, 0.2, 0.3, 0.4];
    let product = [0.12, 0.18, 0.28, 0.42];
    let value = divergence::mutual_information(&joint, (2, 2), false, &Interrupt::new()).unwrap()[0];
    assert!((value - naive::divergence::kl(&joint, &product)).abs() < 1e-15);
    let entropy = |p: &[f64]| one(Measure::Entropy, p, p);
    assert!((value - (entropy(&[0.3, 0.7]) + entropy(&[0.4, 0.6]) - entropy(&joint))).abs() < 1e-15);
}

#[test]
fn refuses_what_is_no_distribution() {
    let refuse = |p: &[f64], q: &[f64]| {
        divergence::divergence(
            Measure::Kl,
            Rows { p, q, width: p.len(), normalize: false },
            &Interrupt::new(),
        )
        .unwrap_err()
    };
    for bad in [[f64::NAN, 0.5], [-0.1, 1.1], [f64::INFINITY, 0.0], [0.5, 0.6], [0.0, 0.0]] {
        assert!(matches!(refuse(&bad, &[0.5, 0.5]), Error::Domain { argument: "p", .. }), "{bad:?}");
        assert!(matches!(refuse(&[0.5, 0.5], &bad), Error::Domain { argument: "q", .. }), "{bad:?}");
    }
    assert!(matches!(refuse(&[1.0], &[0.5, 0.5]), Error::Shape { .. }));
    let interrupt = Interrupt::new();
    interrupt.raise();
    let rows = Rows { p: &[1.0], q: &[1.0], width: 1, normalize: false };
    assert_eq!(divergence::divergence(Measure::Kl, rows, &interrupt), Err(Error::Interrupted));
}
