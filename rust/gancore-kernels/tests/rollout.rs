//! Roll-outs against their definitions, and the laws they obey.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod rollout;
}

use gancore_kernels::error::Error;
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rollout::{self, Draws, Filter, Law, Logit, LstmWeights, Plan};
use gancore_kernels::simd::{self, Isa};
use proptest::prelude::*;

const PLAIN: Law = Law { temperature: 1.0, top_k: None };

fn at<T: Logit>(logits: &[T], law: Law, uniform: f64) -> Result<usize, Error> {
    rollout::sample_categorical(logits, logits.len(), law, Draws::Given(&[uniform]), &Interrupt::new())
        .map(|tokens| tokens[0] as usize)
}

fn logit() -> impl Strategy<Value = f32> {
    prop_oneof![1 => Just(f32::NEG_INFINITY), 6 => -30.0_f32..10.0]
}

proptest! {
    #[test]
    fn a_token_covers_the_number_it_was_drawn_at(
        logits in prop::collection::vec(logit(), 1..600).prop_filter("one finite", |l| l.iter().any(|x| x.is_finite())),
        uniform in 0.0..1.0_f64,
        temperature in 0.3..3.0_f64,
        top_k in prop::option::of(1..50_usize),
    ) {
        let law = Law { temperature, top_k };
        let wide: Vec<f64> = logits.iter().map(|&l| f64::from(l)).collect();
        let masses = naive::rollout::masses(&wide, temperature, top_k);
        let (short, long) = (at(&logits, law, uniform).unwrap(), at(&wide, law, uniform).unwrap());
        prop_assert!(masses[short] > 0.0 && masses[long] > 0.0);
        prop_assert!(naive::rollout::miss(&masses, short, uniform) < 3e-6);
        prop_assert!(naive::rollout::miss(&masses, long, uniform) < 1e-14);
    }
}

#[test]
fn draws_are_the_same_bits_on_any_threads_instruction_set_and_batch() {
    let (rows, vocabulary) = (100, 1_003);
    let logits: Vec<f32> = (0..rows * vocabulary).map(|i| ((i * 7919) % 1009) as f32 / 100.0).collect();
    let draw = |logits: &[f32], first_row| {
        let draws = Draws::Counter { seed: 3, step: 5, first_row };
        rollout::sample_categorical(logits, vocabulary, PLAIN, draws, &Interrupt::new()).unwrap()
    };
    simd::force(Isa::Scalar).unwrap();
    pool::set_num_threads(1).unwrap();
    let expected = draw(&logits, 0);
    for isa in [Isa::Scalar, Isa::V3, Isa::V4].into_iter().filter(|isa| isa.is_available()) {
        simd::force(isa).unwrap();
        pool::set_num_threads(3).unwrap();
        assert_eq!(draw(&logits, 0), expected);
    }
    assert_eq!(draw(&logits[40 * vocabulary..], 40), expected[40..]);
}

/// Numbers that look random, in [-1.5, 1.5).
fn numbers(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919 + seed * 104_729 + i * i % 31) % 1009) as f32 / 336.4 - 1.5).collect()
}

#[test]
fn roll_outs_give_the_same_bits_on_any_threads_and_instruction_set_and_features_on_any_threads() {
    let (v, e, h, length) = (101, 5, 9, 8);
    let arrays = [v * e, 4 * h * e, 4 * h * h, 4 * h, 4 * h, v * h, v].map(|n| numbers(n, n));
    let [embedding, w_ih, w_hh, b_ih, b_hh, head_w, head_b] = arrays.each_ref().map(Vec::as_slice);
    let weights = LstmWeights { embedding, w_ih, w_hh, b_ih, b_hh, head_w, head_b };
    let tokens: Vec<i64> = (0..48).map(|i| i * 37 % 101).collect();
    let (filter, bias) = (numbers(20 * e * 3, 1), numbers(20, 2));
    let filters = [Filter { width: 3, weight: &filter, bias: &bias }];
    let both = || {
        let plan = Plan { length, continuations: 5, start_token: 0, law: PLAIN, seed: 7 };
        let interrupt = Interrupt::new();
        let rows = rollout::lstm_rollout(weights, &tokens, plan, &interrupt).unwrap();
        (rows, rollout::token_table_conv(embedding, v, &filters, &tokens, length, &interrupt).unwrap())
    };
    simd::force(Isa::Scalar).unwrap();
    pool::set_num_threads(1).unwrap();
    let expected = both();
    for isa in [Isa::Scalar, Isa::V3, Isa::V4].into_iter().filter(|isa| isa.is_available()) {
        simd::force(isa).unwrap();
        pool::set_num_threads(1).unwrap();
        let alone = both();
        pool::set_num_threads(3).unwrap();
        let (rows, features) = both();
        assert_eq!(rows, expected.0);
        assert_eq!(features, alone.1);
        for (feature, expected) in features.iter().zip(&expected.1) {
            assert!((feature - expected).abs() < 1e-4);
        }
    }
}

proptest! {
    #[test]
    fn token_convolutions_are_those_of_the_definition(
        rows in 1..5_usize, length in 1..9_usize, maps in 1..35_usize, v in 1..30_usize, seed in 0..99_usize,
    ) {
        let (depth, width) = (3, length.div_ceil(2));
        let (embedding, filter, bias) =
            (numbers(v * depth, seed), numbers(maps * depth * width, seed + 1), numbers(maps, seed + 2));
        let tokens: Vec<i64> = (0..rows * length).map(|i| i64::try_from((i * 31 + seed) % v).unwrap()).collect();
        let filters = [Filter { width, weight: &filter, bias: &bias }];
        let ours =
            rollout::token_table_conv(&embedding, v, &filters, &tokens, length, &Interrupt::new()).unwrap();
        for (row, ours) in tokens.chunks(length).zip(ours.chunks(maps)) {
            let exact = naive::rollout::features(&embedding, depth, (width, &filter, &bias), row);
            for (ours, exact) in ours.iter().zip(exact) {
                prop_assert!((f64::from(*ours) - exact).abs() < 1e-4);
            }
        }
    }
}

#[test]
fn a_far_tail_is_reached_and_an_excluded_token_never() {
    // Masses 1e-12, 1 and 0, and ends of the interval.
    let logits = [(1e-12_f32).ln(), 0.0, f32::NEG_INFINITY];
    assert_eq!(at(&logits, PLAIN, 0.0).unwrap(), 0);
    assert_eq!(at(&logits, PLAIN, 0.9e-12).unwrap(), 0);
    assert_eq!(at(&logits, PLAIN, 1.1e-12).unwrap(), 1);
    assert_eq!(at(&logits, PLAIN, 1.0 - f64::EPSILON / 2.0).unwrap(), 1);
    assert_eq!(at(&[f32::NEG_INFINITY, 0.0], PLAIN, 0.0).unwrap(), 1);
    let cold = Law { temperature: 1e-300, top_k: None };
    assert_eq!(at(&[1.0_f32, 1.1, 0.9], cold, 0.5).unwrap(), 1);
}

#[test]
fn bad_input_is_named() {
    let interrupt = Interrupt::new();
    let draw = |logits: &[f32], law, uniforms: &[f64]| {
        rollout::sample_categorical(logits, 2, law, Draws::Given(uniforms), &interrupt)
            .unwrap_err()
            .to_string()
    };
    let strange = [0.0, 1.0, 0.0, f32::NAN];
    assert!(draw(&strange, PLAIN, &[0.5; 2]).contains("nan in row 1, index 1"));
    assert!(draw(&[0.0, f32::INFINITY], PLAIN, &[0.5]).contains("inf in row 0, index 1"));
    assert!(draw(&[f32::NEG_INFINITY; 2], PLAIN, &[0.5]).contains("only -inf in row 0"));
    assert!(draw(&[0.0; 4], PLAIN, &[0.5, 1.0]).contains("1 in row 1"));
    assert!(draw(&[0.0; 4], PLAIN, &[0.5]).contains("`uniforms` must have 2 numbers"));
    assert!(draw(&[0.0; 2], Law { temperature: 0.0, top_k: None }, &[0.5]).contains("`temperature`"));
    assert!(draw(&[0.0; 2], Law { temperature: 1.0, top_k: Some(0) }, &[0.5]).contains("`top_k`"));
}
