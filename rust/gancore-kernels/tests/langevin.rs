//! Steps, mixtures and chains against their definitions, and the laws they obey.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod langevin;
}

use gancore_kernels::error::Error;
use gancore_kernels::langevin::{self, Dynamics, GaussianMixture, Noise, Schedule};
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rng::Stream;
use gancore_kernels::simd::{self, Isa};
use proptest::prelude::*;

const PLAIN: Dynamics = Dynamics { step_size: 0.05, temperature: 1.0 };

fn noise(seed: u64, step: u64, first_chain: u64) -> Noise {
    Noise { seed, step, first_chain }
}

fn compiled(mixture: &naive::langevin::Mixture) -> GaussianMixture {
    let means = mixture.means.concat();
    GaussianMixture::new(&means, mixture.means[0].len(), &mixture.stds, &mixture.weights).unwrap()
}

fn run(mixture: &GaussianMixture, states: &mut [f64], schedule: Schedule) -> langevin::Outcome {
    mixture.langevin(states, schedule, &Interrupt::new()).unwrap()
}

/// Mixtures of 1 to 4 components in 1 to 6 dimensions whose densities do not underflow within reach.
fn mixtures() -> impl Strategy<Value = naive::langevin::Mixture> {
    (1_usize..5, 1_usize..7).prop_flat_map(|(components, dim)| {
        let row = prop::collection::vec(-2.0..2.0, dim);
        let parts = prop::collection::vec((row, 0.5..2.0, 0.1..1.0), components);
        parts.prop_map(|parts| {
            let total: f64 = parts.iter().map(|(_, _, weight)| weight).sum();
            naive::langevin::Mixture {
                means: parts.iter().map(|(mean, _, _)| mean.clone()).collect(),
                stds: parts.iter().map(|(_, std, _)| *std).collect(),
                weights: parts.iter().map(|(_, _, weight)| weight / total).collect(),
            }
        })
    })
}

fn points(mixture: &naive::langevin::Mixture, n: usize, seed: u64) -> Vec<f64> {
    (0..n as u64)
        .flat_map(|lane| naive::langevin::normals(seed, 20, 0, lane, mixture.means[0].len()))
        .collect()
}

proptest! {
    #[test]
    fn noise_is_what_the_definition_says(
        seed: u64, step in 0_u64..1 << 56, first in 0_u64..1 << 31, dim in 1_usize..12
    ) {
        let mut drawn = vec![0.0; 11 * dim];
        let at = noise(seed, step, first);
        langevin::normals(&mut drawn, dim, Stream::Initial, at, &Interrupt::new()).unwrap();
        let mut uniforms = [0.0; 11];
        langevin::uniforms(&mut uniforms, Stream::User(7), at, &Interrupt::new()).unwrap();
        for (lane, (row, uniform)) in (first..).zip(drawn.chunks(dim).zip(uniforms)) {
            let exact = naive::langevin::normals(seed, 2, step, lane, dim);
            prop_assert!(row.iter().zip(exact).all(|(a, b)| (a - b).abs() <= 1e-14));
            prop_assert_eq!(uniform, naive::langevin::uniform(seed, 23, step, lane));
        }
    }

    #[test]
    fn a_step_is_the_formula(seed: u64, n in 1_usize..40, dim in 1_usize..40, temperature in 0.0..3.0) {
        let dynamics = Dynamics { step_size: 0.3, temperature };
        let z: Vec<f64> = (0..n * dim).map(|i| (i as f64).sin()).collect();
        let grad: Vec<f64> = z.iter().map(|v| 2.0 * v + 1.0).collect();
        let mut out = vec![f64::NAN; z.len()];
        let interrupt = Interrupt::new();
        langevin::step(&mut out, Some(&z), &grad, dim, dynamics, noise(seed, 5, 9), &interrupt).unwrap();
        for (row, out) in out.chunks(dim).enumerate() {
            let xi = naive::langevin::normals(seed, 0, 5, 9 + row as u64, dim);
            for j in 0..dim {
                let i = row * dim + j;
                let exact = z[i] - 0.3 * grad[i] + (0.6 * temperature).sqrt() * xi[j];
                prop_assert!((out[j] - exact).abs() <= 1e-14);
            }
        }
        let mut place = z.clone();
        langevin::step(&mut place, None, &grad, dim, dynamics, noise(seed, 5, 9), &interrupt).unwrap();
        prop_assert_eq!(&place, &out);
        let single: Vec<f32> = z.iter().map(|&v| v as f32).collect();
        let grad: Vec<f32> = grad.iter().map(|&v| v as f32).collect();
        let mut rounded = vec![0.0_f32; z.len()];
        langevin::step(&mut rounded, Some(&single), &grad, dim, dynamics, noise(seed, 5, 9), &interrupt).unwrap();
        prop_assert!(rounded.iter().zip(&out).all(|(&a, &b)| (f64::from(a) - b).abs() <= 5e-6));
    }

    #[test]
    fn energies_and_gradients_agree_with_the_definition(mixture in mixtures(), n in 1_usize..70, seed: u64) {
        let x = points(&mixture, n, seed);
        let (kernel, interrupt) = (compiled(&mixture), Interrupt::new());
        let energies = kernel.energies(&x, &interrupt).unwrap();
        let gradients = kernel.gradients(&x, &interrupt).unwrap();
        let dim = kernel.dim();
        for ((x, energy), gradient) in x.chunks(dim).zip(energies).zip(gradients.chunks(dim)) {
            let exact = mixture.energy(x);
            prop_assert!((energy - exact).abs() <= 1e-12 * (1.0 + exact.abs()));
            let slopes = mixture.gradient(x);
            prop_assert!(gradient.iter().zip(slopes).all(|(a, b)| (a - b).abs() <= 1e-6 * (1.0 + b.abs())));
        }
    }

    #[test]
    fn a_chain_is_a_loop_of_steps(mixture in mixtures(), n in 1_usize..70, seed: u64, steps in 1_u64..5) {
        let kernel = compiled(&mixture);
        let (interrupt, mut looped) = (Interrupt::new(), points(&mixture, n, seed));
        let mut chains = looped.clone();
        let schedule = Schedule {
            dynamics: PLAIN, metropolis: false, steps, noise: noise(seed, 3, 11), record_energy: true,
        };
        let outcome = run(&kernel, &mut chains, schedule);
        for step in 0..steps {
            let grad = kernel.gradients(&looped, &interrupt).unwrap();
            let at = noise(seed, 3 + step, 11);
            langevin::step(&mut looped, None, &grad, kernel.dim(), PLAIN, at, &interrupt).unwrap();
            let energies = kernel.energies(&looped, &interrupt).unwrap();
            let mean = energies.iter().sum::<f64>() / n as f64;
            prop_assert!((outcome.energies[step as usize] - mean).abs() <= 1e-13 * (1.0 + mean.abs()));
        }
        prop_assert_eq!(&chains, &looped);
        prop_assert_eq!(outcome.accepted, n as u64 * steps);
    }

    #[test]
    fn metropolis_accepts_by_the_ratio_of_densities(mixture in mixtures(), seed: u64, temperature in 0.3..3.0) {
        let kernel = compiled(&mixture);
        let dynamics = Dynamics { step_size: 0.4, temperature };
        let at = noise(seed, 1, 5);
        let schedule =
            Schedule { dynamics, metropolis: true, steps: 1, noise: at, record_energy: false };
        let (interrupt, start) = (Interrupt::new(), points(&mixture, 30, seed));
        let mut proposal = start.clone();
        let grad = kernel.gradients(&start, &interrupt).unwrap();
        langevin::step(&mut proposal, None, &grad, kernel.dim(), dynamics, at, &interrupt).unwrap();
        let mut moved = start.clone();
        let outcome = run(&kernel, &mut moved, schedule);
        let (mut accepted, dim) = (0, kernel.dim());
        for (row, here) in start.chunks(dim).enumerate() {
            let (there, end) = (&proposal[row * dim..][..dim], &moved[row * dim..][..dim]);
            let log_ratio = naive::langevin::log_ratio(&mixture, here, there, 0.4, temperature);
            let log_uniform = naive::langevin::uniform(seed, 1, 1, 5 + row as u64).ln();
            accepted += u64::from(end == there);
            // The naive ratio takes its gradients by differences, so it cannot decide what is closer.
            if (log_ratio - log_uniform).abs() > 1e-5 {
                prop_assert_eq!(end, if log_uniform < log_ratio { there } else { here });
            }
        }
        prop_assert_eq!(outcome.accepted, accepted);
        prop_assert!(outcome.energies.is_empty());
    }

    #[test]
    fn is_the_same_bits_on_any_threads_instruction_set_and_chunking(
        mixture in mixtures(), seed: u64, cut in 1_usize..299, metropolis: bool
    ) {
        let kernel = compiled(&mixture);
        let start = points(&mixture, 300, seed);
        let schedule = |steps, step, first_chain| Schedule {
            dynamics: PLAIN, metropolis, steps, noise: noise(seed, step, first_chain), record_energy: true,
        };
        simd::force(Isa::Scalar).unwrap();
        pool::set_num_threads(1).unwrap();
        let mut expected = start.clone();
        let outcome = run(&kernel, &mut expected, schedule(5, 7, 2));
        for isa in [Isa::Scalar, Isa::V3, Isa::V4] {
            if !isa.is_available() {
                continue;
            }
            simd::force(isa).unwrap();
            pool::set_num_threads(3).unwrap();
            let mut again = start.clone();
            prop_assert_eq!(&run(&kernel, &mut again, schedule(5, 7, 2)), &outcome);
            prop_assert_eq!(&again, &expected);
            let mut pieces = start.clone();
            let (left, right) = pieces.split_at_mut(cut * kernel.dim());
            run(&kernel, left, schedule(5, 7, 2));
            run(&kernel, right, schedule(3, 7, 2 + cut as u64));
            run(&kernel, right, schedule(2, 10, 2 + cut as u64));
            prop_assert_eq!(&pieces, &expected);
        }
    }
}

proptest! {
    #[test]
    fn float32_chains_are_the_same_bits_everywhere_and_close_to_float64_ones(
        mixture in mixtures(), seed: u64, cut in 1_usize..149, metropolis: bool
    ) {
        let (kernel, interrupt) = (compiled(&mixture), Interrupt::new());
        let start: Vec<f32> = points(&mixture, 150, seed).iter().map(|&v| v as f32).collect();
        let schedule = |steps, step, first_chain, metropolis| Schedule {
            dynamics: PLAIN, metropolis, steps, noise: noise(seed, step, first_chain), record_energy: true,
        };
        simd::force(Isa::Scalar).unwrap();
        pool::set_num_threads(1).unwrap();
        let mut expected = start.clone();
        let outcome = kernel.langevin(&mut expected, schedule(5, 7, 2, metropolis), &interrupt).unwrap();
        for isa in [Isa::V3, Isa::V4].into_iter().filter(|isa| isa.is_available()) {
            simd::force(isa).unwrap();
            pool::set_num_threads(3).unwrap();
            let mut again = start.clone();
            let same = kernel.langevin(&mut again, schedule(5, 7, 2, metropolis), &interrupt).unwrap();
            prop_assert_eq!(&same, &outcome);
            prop_assert_eq!(&again, &expected);
            let mut pieces = start.clone();
            let (left, right) = pieces.split_at_mut(cut * kernel.dim());
            kernel.langevin(left, schedule(5, 7, 2, metropolis), &interrupt).unwrap();
            let first = 2 + cut as u64;
            kernel.langevin(right, schedule(3, 7, first, metropolis), &interrupt).unwrap();
            kernel.langevin(right, schedule(2, 10, first, metropolis), &interrupt).unwrap();
            prop_assert_eq!(&pieces, &expected);
        }
        let mut single = start.clone();
        let plain = kernel.langevin(&mut single, schedule(5, 7, 2, false), &interrupt).unwrap();
        let mut double: Vec<f64> = start.iter().map(|&v| v.into()).collect();
        let exact = run(&kernel, &mut double, schedule(5, 7, 2, false));
        prop_assert!(single.iter().zip(&double).all(|(&a, b)| (f64::from(a) - b).abs() <= 3e-5));
        for (ours, exact) in plain.energies.iter().zip(&exact.energies) {
            prop_assert!((ours - exact).abs() <= 1e-5 * (1.0 + exact.abs()));
        }
    }
}

/// Mixtures whose components differ by orders of magnitude, of parameters that float32 holds exactly, in `dims`; their
/// deviations are powers of two.
fn rugged_mixtures(
    dims: &'static [usize],
    components: &'static [usize],
    stds: std::ops::Range<i32>,
) -> impl Strategy<Value = naive::langevin::Mixture> {
    let shape = (prop::sample::select(dims), prop::sample::select(components));
    shape.prop_flat_map(move |(dim, components)| {
        let row = prop::collection::vec(-10.0_f32..10.0, dim);
        let parts = prop::collection::vec((row, stds.clone(), -40_i32..1), components);
        parts.prop_map(|parts| {
            let total: f64 = parts.iter().map(|(_, _, weight)| f64::from(*weight).exp2()).sum();
            naive::langevin::Mixture {
                means: parts.iter().map(|(mean, _, _)| mean.iter().map(|&v| v.into()).collect()).collect(),
                stds: parts.iter().map(|(_, std, _)| f64::from(*std).exp2()).collect(),
                weights: parts.iter().map(|(_, _, weight)| f64::from(*weight).exp2() / total).collect(),
            }
        })
    })
}

/// Points about components, `spread` times their deviations away, of numbers that float32 holds exactly.
fn around(mixture: &naive::langevin::Mixture, spread: f64, n: usize, seed: u64) -> Vec<f64> {
    let components = mixture.stds.len();
    let point = |lane: u64| {
        let k = (seed.wrapping_add(7 * lane) % components as u64) as usize;
        let normals = naive::langevin::normals(seed, 20, 0, lane, mixture.means[k].len());
        let place = move |(mean, normal): (&f64, f64)| mean + spread * mixture.stds[k] * normal;
        mixture.means[k].iter().zip(normals).map(place).map(|v| f64::from(v as f32)).collect::<Vec<f64>>()
    };
    (0..n as u64).flat_map(point).collect()
}

const DIMS: &[usize] = &[1, 2, 3, 4, 5, 64];
const COMPONENTS: &[usize] = &[1, 2, 5, 6, 25];

/// Mixtures whose components nearly all lie apart.
fn islands() -> impl Strategy<Value = naive::langevin::Mixture> {
    rugged_mixtures(&[1, 2, 3, 4], &[3, 25, 31, 70], -12..-3)
}

/// Energies and gradients of float64, and of float32 by one step downhill, against the definition.
fn agree(mixture: &naive::langevin::Mixture, x: &[f64]) -> Result<(), TestCaseError> {
    let (kernel, interrupt) = (compiled(mixture), Interrupt::new());
    let dim = kernel.dim();
    let energies = kernel.energies(x, &interrupt).unwrap();
    let gradients = kernel.gradients(x, &interrupt).unwrap();
    for ((x, energy), gradient) in x.chunks(dim).zip(energies).zip(gradients.chunks(dim)) {
        let truth = mixture.truth(x);
        prop_assert!((energy - truth.energy).abs() <= 1e-14 * truth.magnitude, "{energy} {}", truth.energy);
        if truth.depth > 1e3 {
            continue;
        }
        for j in 0..dim {
            let off = (gradient[j] - truth.gradient[j]).abs();
            prop_assert!(off <= 4e-15 * truth.effort[j] + 1e-100, "{off:e} {:e}", truth.effort[j]);
        }
        let step_size = 1e-3;
        let dynamics = Dynamics { step_size, temperature: 0.0 };
        let schedule =
            Schedule { dynamics, metropolis: false, steps: 1, noise: noise(0, 0, 0), record_energy: true };
        let mut moved: Vec<f32> = x.iter().map(|&v| v as f32).collect();
        let ours = kernel.langevin(&mut moved, schedule, &interrupt).unwrap().energies[0];
        for j in 0..dim {
            let off = (f64::from(moved[j]) - (x[j] - step_size * truth.gradient[j])).abs();
            let rounding = 1e-7 * (x[j].abs() + f64::from(moved[j]).abs());
            let slack = rounding + step_size * 1e-6 * truth.effort[j] + 1e-12;
            prop_assert!(off <= slack, "{off:e} {slack:e} {}", truth.depth);
        }
        let moved: Vec<f64> = moved.iter().map(|&v| v.into()).collect();
        let truth = mixture.truth(&moved);
        let tolerance = f64::max(1e-6, 2e-7 * truth.depth) + 1e-9 * mixture.stds.len() as f64;
        prop_assert!((ours - truth.energy).abs() <= tolerance, "{ours} {} {}", truth.energy, truth.depth);
    }
    Ok(())
}

proptest! {
    #[test]
    fn rugged_mixtures_agree_with_the_definition(
        mixture in rugged_mixtures(DIMS, COMPONENTS, -10..10), seed: u64, spread in prop::sample::select(vec![0.1, 1.0, 5.0, 300.0])
    ) {
        agree(&mixture, &around(&mixture, spread, 10, seed))?;
    }

    #[test]
    fn islands_agree_with_the_definition(
        mixture in islands(), seed: u64, spread in prop::sample::select(vec![0.1, 1.0, 5.0, 10.0, 17.0, 300.0])
    ) {
        agree(&mixture, &around(&mixture, spread, 10, seed))?;
    }

    #[test]
    fn chains_do_not_depend_on_how_far_their_neighbours_are(
        mixture in prop_oneof![rugged_mixtures(DIMS, COMPONENTS, -10..10), islands()], seed: u64, metropolis: bool, stride in 2_usize..20
    ) {
        let (kernel, interrupt, n) = (compiled(&mixture), Interrupt::new(), 80);
        let dim = kernel.dim();
        let mut start = around(&mixture, 1.0, n, seed);
        let far = around(&mixture, 30.0, n, seed);
        for (here, there) in start.chunks_mut(dim).zip(far.chunks(dim)).step_by(stride) {
            here.copy_from_slice(there);
        }
        let narrowest = mixture.stds.iter().copied().fold(f64::INFINITY, f64::min);
        let dynamics = Dynamics { step_size: 0.1 * narrowest * narrowest, temperature: 1.0 };
        let schedule = |first_chain| Schedule {
            dynamics, metropolis, steps: 3, noise: noise(seed, 0, first_chain), record_energy: true,
        };
        let single: Vec<f32> = start.iter().map(|&v| v as f32).collect();
        for isa in [Isa::Scalar, Isa::V3, Isa::V4].into_iter().filter(|isa| isa.is_available()) {
            simd::force(isa).unwrap();
            let energies = kernel.energies(&start, &interrupt).unwrap();
            let gradients = kernel.gradients(&start, &interrupt).unwrap();
            let (mut double_chains, mut single_chains) = (start.clone(), single.clone());
            kernel.langevin(&mut double_chains, schedule(0), &interrupt).unwrap();
            kernel.langevin(&mut single_chains, schedule(0), &interrupt).unwrap();
            for i in 0..n {
                let row = i * dim..(i + 1) * dim;
                let mut alone = start[row.clone()].to_vec();
                prop_assert_eq!(kernel.energies(&alone, &interrupt).unwrap()[0], energies[i]);
                prop_assert_eq!(&kernel.gradients(&alone, &interrupt).unwrap(), &gradients[row.clone()]);
                kernel.langevin(&mut alone, schedule(i as u64), &interrupt).unwrap();
                prop_assert_eq!(&alone, &double_chains[row.clone()]);
                let mut alone = single[row.clone()].to_vec();
                kernel.langevin(&mut alone, schedule(i as u64), &interrupt).unwrap();
                prop_assert_eq!(&alone, &single_chains[row]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn a_thousand_components_agree_with_the_definition(
        mixture in rugged_mixtures(&[2, 5], &[1000], -10..10), seed: u64, spread in 0.5..30.0
    ) {
        agree(&mixture, &around(&mixture, spread, 3, seed))?;
    }
}

#[test]
fn energies_are_right_far_from_every_mode() {
    let (s, interrupt) = (0.05, Interrupt::new());
    let mixture = GaussianMixture::new(&[0.0, 1.0], 1, &[s, s], &[0.25, 0.75]).unwrap();
    let energies = mixture.energies(&[1e6, -1e6], &interrupt).unwrap();
    let normalizer = s.ln() + 0.5 * std::f64::consts::TAU.ln();
    for (energy, (nearest, weight)) in energies.iter().zip([(999_999.0, 0.75_f64), (1e6, 0.25)]) {
        let exact = 0.5 * (nearest / s).powi(2) - weight.ln() + normalizer;
        assert!((energy - exact).abs() <= 1e-13 * exact, "{energy} {exact}");
    }
    let gradients = mixture.gradients(&[1e6, -1e6], &interrupt).unwrap();
    assert!((gradients[0] - 999_999.0 / (s * s)).abs() < 1e-4);
    assert_eq!(mixture.energies(&[1e160], &interrupt).unwrap(), [f64::INFINITY]);
    assert!(matches!(mixture.gradients(&[1e160], &interrupt), Err(Error::Domain { argument: "x", .. })));
}

/// Mean square of the state over 4,000 chains, at times between which they forget where they were.
fn variance(dynamics: Dynamics, metropolis: bool, std: f64) -> f64 {
    let mixture = GaussianMixture::new(&[0.0], 1, &[std], &[1.0]).unwrap();
    let mut states = vec![0.0; 4_000];
    mixture.sample(&mut states, 1, &Interrupt::new()).unwrap();
    let (mut total, rounds) = (0.0, 20);
    for round in 0..rounds {
        let at = noise(3, 40 * round, 0);
        let schedule = Schedule { dynamics, metropolis, steps: 40, noise: at, record_energy: false };
        run(&mixture, &mut states, schedule);
        total += states.iter().map(|z| z * z).sum::<f64>() / states.len() as f64;
    }
    total / rounds as f64
}

#[test]
fn chains_have_the_stationary_variance_that_theory_gives() {
    // 80,000 draws of an almost independent square: four standard errors are 0.02 of the variance.
    let (eta, s) = (0.02, 0.3);
    for temperature in [0.5, 1.0, 2.0] {
        let dynamics = Dynamics { step_size: eta, temperature };
        let biased = temperature * s * s / (1.0 - eta / (2.0 * s * s));
        let (plain, exact) = (variance(dynamics, false, s), variance(dynamics, true, s));
        assert!((plain / biased - 1.0).abs() < 0.02, "{plain} {biased}");
        assert!((exact / (temperature * s * s) - 1.0).abs() < 0.02, "{exact}");
    }
}

#[test]
fn draws_have_the_frequencies_and_moments_of_the_mixture() {
    let (means, stds, weights) = ([-20.0, 0.0, 20.0], [1.0, 2.0, 0.5], [0.2, 0.5, 0.3]);
    let mixture = GaussianMixture::new(&means, 1, &stds, &weights).unwrap();
    let n = 100_000;
    let mut draws = vec![0.0; n];
    mixture.sample(&mut draws, 5, &Interrupt::new()).unwrap();
    let mut chi_square = 0.0;
    for k in 0..3 {
        let own: Vec<f64> =
            draws.iter().filter(|x| (*x - means[k]).abs() < 10.0).map(|x| x - means[k]).collect();
        let (count, expected) = (own.len() as f64, n as f64 * weights[k]);
        chi_square += (count - expected).powi(2) / expected;
        let deviation = stds[k] * 4.0 / count.sqrt();
        assert!((own.iter().sum::<f64>() / count).abs() < deviation);
        assert!(((own.iter().map(|v| v * v).sum::<f64>() / count).sqrt() - stds[k]).abs() < deviation);
    }
    // The 0.999 quantile for two degrees of freedom.
    assert!(chi_square < 13.8, "{chi_square}");
}

#[test]
fn refuses_what_makes_no_sense() {
    let interrupt = Interrupt::new();
    let refuse = |means: &[f64], dim, stds: &[f64], weights: &[f64]| {
        GaussianMixture::new(means, dim, stds, weights).unwrap_err()
    };
    assert!(matches!(refuse(&[], 1, &[], &[]), Error::Shape { argument: "means", .. }));
    assert!(matches!(refuse(&[0.0; 3], 2, &[1.0], &[1.0]), Error::Shape { argument: "means", .. }));
    assert!(matches!(refuse(&[0.0], 1, &[1.0, 1.0], &[1.0]), Error::Shape { argument: "stds", .. }));
    assert!(matches!(refuse(&[0.0], 1, &[1.0], &[]), Error::Shape { argument: "weights", .. }));
    assert!(matches!(refuse(&[f64::NAN], 1, &[1.0], &[1.0]), Error::Domain { argument: "means", .. }));
    for std in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-200] {
        assert!(matches!(refuse(&[0.0], 1, &[std], &[1.0]), Error::Domain { argument: "stds", .. }));
    }
    for weights in [[0.5, 0.6], [0.0, 1.0], [f64::NAN, 1.0], [-0.5, 1.5]] {
        assert!(matches!(
            refuse(&[0.0; 2], 1, &[1.0; 2], &weights),
            Error::Domain { argument: "weights", .. }
        ));
    }
    let mixture = GaussianMixture::new(&[0.0; 2], 2, &[1.0], &[1.0]).unwrap();
    assert!(matches!(mixture.energies(&[0.0; 3], &interrupt), Err(Error::Shape { argument: "x", .. })));
    let schedule = |step_size, temperature, metropolis| Schedule {
        dynamics: Dynamics { step_size, temperature },
        metropolis,
        steps: 400,
        noise: noise(0, 0, 0),
        record_energy: false,
    };
    let go = |states: &mut [f64], schedule| mixture.langevin(states, schedule, &interrupt);
    for (step_size, temperature, argument) in [
        (0.0, 1.0, "step_size"),
        (f64::NAN, 1.0, "step_size"),
        (0.1, -1.0, "temperature"),
        (5.0, 1.0, "step_size"),
    ] {
        let error = go(&mut [0.0; 40], schedule(step_size, temperature, false)).unwrap_err();
        assert!(matches!(error, Error::Domain { argument: a, .. } if a == argument), "{error}");
    }
    // Too large a step diverges without the test; with it, chains stay where they are.
    assert!(go(&mut [0.0; 40], schedule(5.0, 1.0, true)).is_ok());
    assert!(matches!(
        go(&mut [0.0; 2], schedule(0.1, 0.0, true)),
        Err(Error::Domain { argument: "temperature", .. })
    ));
    assert!(matches!(go(&mut [], schedule(0.1, 1.0, false)), Err(Error::Shape { argument: "initial", .. })));
    assert!(matches!(
        go(&mut [0.0, f64::NAN], schedule(0.1, 1.0, false)),
        Err(Error::Domain { argument: "initial", .. })
    ));
    assert!(matches!(
        go(&mut [1e200, 0.0], schedule(0.1, 1.0, true)),
        Err(Error::Domain { argument: "initial", .. })
    ));
}

#[test]
fn a_gradient_that_is_not_finite_is_named_before_anything_is_written() {
    let (mut z, mut grad) = (vec![1.0_f32; 60_000], vec![0.5_f32; 60_000]);
    grad[50_003] = f32::NAN;
    grad[50_007] = f32::INFINITY;
    let error = langevin::step(&mut z, None, &grad, 4, PLAIN, noise(0, 0, 0), &Interrupt::new()).unwrap_err();
    assert_eq!(error.to_string(), "`grad` must be finite; got NaN in row 12500, coordinate 3");
    assert!(z.iter().all(|&v| v == 1.0));
}

#[test]
fn stops_when_asked() {
    let interrupt = Interrupt::new();
    interrupt.raise();
    let mixture = GaussianMixture::new(&[0.0], 1, &[1.0], &[1.0]).unwrap();
    let schedule = Schedule {
        dynamics: PLAIN,
        metropolis: false,
        steps: 1,
        noise: noise(0, 0, 0),
        record_energy: false,
    };
    assert_eq!(mixture.langevin(&mut [0.0_f64], schedule, &interrupt), Err(Error::Interrupted));
    assert_eq!(mixture.energies(&[0.0], &interrupt), Err(Error::Interrupted));
    assert_eq!(mixture.sample(&mut [0.0], 0, &interrupt), Err(Error::Interrupted));
}
