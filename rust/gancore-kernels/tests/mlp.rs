//! The energy of pairs of multilayer perceptrons against its definition, and the laws of chains on it.

#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use gancore_kernels::error::Error;
use gancore_kernels::langevin::{Activation, Course, Dynamics, Layer, MlpEnergy, Noise, Prior};
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::simd::{self, Isa};
use proptest::prelude::*;

/// Held by tests that need one instruction set: this kernel fuses where it can, so that others round differently.
static SET: Mutex<()> = Mutex::new(());

/// A layer as one writes it down: rows of weights, biases, and an activation.
#[derive(Debug, Clone)]
struct Dense {
    weights: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
}

fn bend(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Identity => x,
        Activation::Rectifier(slope) => x.max(0.0) + f64::from(slope) * x.min(0.0),
        Activation::Tanh => x.tanh(),
        Activation::Elu(alpha) => x.max(0.0) + f64::from(alpha) * x.min(0.0).exp_m1(),
        Activation::Softplus => x.exp().ln_1p(),
    }
}

/// E(u) for the normal prior, number by number.
fn naive(layers: &[Dense], scale: f64, u: &[f64]) -> f64 {
    let mut x = u.to_vec();
    for layer in layers {
        let rows = layer.weights.chunks(x.len()).zip(&layer.bias);
        x = rows
            .map(|(row, &bias)| {
                let sum: f64 = row.iter().zip(&x).map(|(&w, x)| f64::from(w) * x).sum();
                bend(layer.activation, sum + f64::from(bias))
            })
            .collect();
    }
    0.5 * u.iter().map(|u| u * u).sum::<f64>() - scale * x[0]
}

fn compiled(layers: &[Dense], scale: f64) -> MlpEnergy {
    let layers: Vec<Layer<'_>> = layers
        .iter()
        .map(|layer| Layer { weights: &layer.weights, bias: &layer.bias, activation: layer.activation })
        .collect();
    MlpEnergy::new(&layers, Prior::Normal, scale, 0.0).unwrap()
}

fn networks() -> impl Strategy<Value = Vec<Dense>> {
    let activation = prop::sample::select(vec![Activation::Tanh, Activation::Elu(0.5), Activation::Softplus]);
    prop::collection::vec((1_usize..30, activation), 1..4).prop_flat_map(|sizes| {
        let many: usize = sizes.iter().map(|(size, _)| size + 1).sum::<usize>() * 31;
        prop::collection::vec(-1.0_f32..1.0, many).prop_map(move |numbers| {
            let mut numbers = numbers.into_iter();
            let mut take = |many: usize, over: f32| -> Vec<f32> {
                numbers.by_ref().take(many).map(|v| v / over).collect()
            };
            let mut layers = Vec::new();
            for (i, &(inputs, activation)) in sizes.iter().enumerate() {
                let outputs = sizes.get(i + 1).map_or(1, |next| next.0);
                let weights = take(inputs * outputs, (inputs as f32).sqrt());
                layers.push(Dense { weights, bias: take(outputs, 1.0), activation });
            }
            layers
        })
    })
}

fn course(steps: u64, step: u64, first_chain: u64, metropolis: bool) -> Course {
    let noise = Noise { seed: 5, step, first_chain };
    Course { dynamics: Dynamics { step_size: 0.1, temperature: 0.95 }, metropolis, steps, noise }
}

fn states(n: usize, dim: usize) -> Vec<f32> {
    (0..n * dim).map(|i| (1.7 * i as f32).sin()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn energy_and_gradient_are_those_of_the_definition(layers in networks(), n in 1_usize..40) {
        let energy = compiled(&layers, 1.3);
        let (dim, h) = (energy.dim(), 1e-5);
        let u = states(n, dim);
        let (values, gradient) = energy.value_and_grad(&u, &Interrupt::new()).unwrap();
        for (row, (value, slopes)) in values.iter().zip(gradient.chunks(dim)).enumerate() {
            let mut at: Vec<f64> = u[row * dim..][..dim].iter().map(|&v| v.into()).collect();
            prop_assert!((value - naive(&layers, 1.3, &at)).abs() < 2e-5);
            for (j, &slope) in slopes.iter().enumerate() {
                at[j] += h;
                let above = naive(&layers, 1.3, &at);
                at[j] -= 2.0 * h;
                let exact = (above - naive(&layers, 1.3, &at)) / (2.0 * h);
                at[j] += h;
                prop_assert!((f64::from(slope) - exact).abs() < 5e-5, "{slope} {exact}");
            }
        }
    }

    #[test]
    fn chains_are_the_same_bits_on_any_threads_and_chunking(
        layers in networks(), cut in 1_usize..69, metropolis: bool
    ) {
        let _held = SET.lock();
        let (energy, interrupt) = (compiled(&layers, 1.0), Interrupt::new());
        let start = states(70, energy.dim());
        pool::set_num_threads(1).unwrap();
        let mut whole = start.clone();
        let journey = energy.langevin(&mut whole, course(6, 3, 2, metropolis), &interrupt).unwrap();
        prop_assert_eq!(journey.energies.len(), 7 * 70);
        pool::set_num_threads(3).unwrap();
        let mut again = start.clone();
        prop_assert_eq!(&energy.langevin(&mut again, course(6, 3, 2, metropolis), &interrupt).unwrap(), &journey);
        prop_assert_eq!(&again, &whole);
        let mut pieces = start.clone();
        let (left, right) = pieces.split_at_mut(cut * energy.dim());
        energy.langevin(left, course(6, 3, 2, metropolis), &interrupt).unwrap();
        let first = 2 + cut as u64;
        energy.langevin(right, course(2, 3, first, metropolis), &interrupt).unwrap();
        energy.langevin(right, course(4, 5, first, metropolis), &interrupt).unwrap();
        prop_assert_eq!(&pieces, &whole);
    }

    #[test]
    fn instruction_sets_agree_to_rounding(layers in networks()) {
        let _held = SET.lock();
        let (energy, interrupt) = (compiled(&layers, 1.0), Interrupt::new());
        let u = states(40, energy.dim());
        simd::force(Isa::Scalar).unwrap();
        let (expected, slopes) = energy.value_and_grad(&u, &interrupt).unwrap();
        for isa in [Isa::V3, Isa::V4].into_iter().filter(|isa| isa.is_available()) {
            simd::force(isa).unwrap();
            let (values, gradient) = energy.value_and_grad(&u, &interrupt).unwrap();
            prop_assert!(values.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
            prop_assert!(gradient.iter().zip(&slopes).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }
}

#[test]
fn refuses_what_makes_no_sense() {
    let layer = |weights: &'static [f32], bias: &'static [f32]| Layer {
        weights,
        bias,
        activation: Activation::Identity,
    };
    let refuse = |layers: &[Layer<'_>]| MlpEnergy::new(layers, Prior::Normal, 1.0, 0.0).unwrap_err();
    for layers in [
        vec![],
        vec![layer(&[1.0; 3], &[0.0; 2])],
        vec![layer(&[1.0; 4], &[0.0; 2])],
        vec![layer(&[1.0; 4], &[0.0; 2]), layer(&[1.0; 3], &[0.0])],
        vec![layer(&[], &[0.0])],
    ] {
        assert!(matches!(refuse(&layers), Error::Shape { argument: "layers", .. }));
    }
    assert!(matches!(refuse(&[layer(&[f32::NAN], &[0.0])]), Error::Domain { argument: "layers", .. }));
    let energy = MlpEnergy::new(&[layer(&[1.0; 2], &[0.0])], Prior::Sphere, 1.0, 0.0).unwrap();
    let interrupt = Interrupt::new();
    assert!(matches!(energy.value_and_grad(&[0.0; 3], &interrupt), Err(Error::Shape { argument: "u", .. })));
    let forever = course(1 << 58, 0, 0, true);
    assert!(matches!(
        energy.langevin(&mut [1.0; 2], forever, &interrupt),
        Err(Error::Domain { argument: "steps", .. })
    ));
    interrupt.raise();
    assert_eq!(energy.langevin(&mut [1.0; 2], course(1, 0, 0, true), &interrupt), Err(Error::Interrupted));
}

#[test]
fn rectifiers_let_nan_through() {
    let _held = SET.lock();
    let identity = Activation::Identity;
    // Infinity minus infinity.
    let (first, second) = ([1e38; 2], [[1.0, -1.0]; 7].concat());
    for isa in [Isa::Scalar, Isa::V3, Isa::V4].into_iter().filter(|isa| isa.is_available()) {
        simd::force(isa).unwrap();
        for slope in [0.0, 0.2, 2.0] {
            let layers = [
                Layer { weights: &first, bias: &[0.0; 2], activation: identity },
                Layer { weights: &second, bias: &[0.0; 7], activation: Activation::Rectifier(slope) },
                Layer { weights: &[1.0; 7], bias: &[0.0], activation: identity },
            ];
            let energy = MlpEnergy::new(&layers, Prior::Normal, 1.0, 0.0).unwrap();
            let (energies, _) = energy.value_and_grad(&[0.0, 1e3], &Interrupt::new()).unwrap();
            assert_eq!(energies[0], 0.0);
            assert!(energies[1].is_nan());
            let mut states = [0.0, 1e3];
            let journey = energy.langevin(&mut states, course(2, 0, 0, false), &Interrupt::new()).unwrap();
            assert_eq!((journey.stopped[1], states[1]), (0, 1e3));
        }
    }
}
