//! Convergence diagnostics against their definition, their laws, and bad input.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod diagnostics;
}

use gancore_kernels::diagnostics::{Draws, effective_sample_size, nested_r_hat, r_hat};
use gancore_kernels::error::{Error, Result};
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::simd::{self, Isa};
use proptest::prelude::*;

type Diagnostic = fn(Draws<'_, f64>, &Interrupt) -> Result<Vec<f64>>;

/// Autoregressions whose chains and quantities differ: (values, chains, steps, dims).
fn draws(chains: usize, steps: usize, dims: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5
    };
    let mut values = vec![0.0; chains * steps * dims];
    for chain in 0..chains {
        for step in 0..steps {
            for dim in 0..dims {
                let at = (chain * steps + step) * dims + dim;
                let before = if step == 0 { uniform() } else { values[at - dims] };
                values[at] =
                    (1.19 * dim as f64 / dims as f64 - 0.2) * before + uniform() + 0.1 * chain as f64;
            }
        }
    }
    values
}

fn column(values: &[f64], steps: usize, dims: usize, dim: usize) -> Vec<Vec<f64>> {
    values.chunks(steps * dims).map(|c| c.iter().skip(dim).step_by(dims).copied().collect()).collect()
}

fn close(ours: f64, exact: f64) -> bool {
    (ours - exact).abs() <= 1e-10 * exact.abs()
}

proptest! {
    #[test]
    fn agrees_with_the_definition(
        chains in 1_usize..12, steps in 4_usize..250, dims in 1_usize..20, seed: u64, offset in -1e3..1e3
    ) {
        let values: Vec<f64> = draws(chains, steps, dims, seed).iter().map(|v| v + offset).collect();
        let all = Draws { values: &values, chains, steps, dims };
        let interrupt = Interrupt::new();
        let sizes = effective_sample_size(all, &interrupt).unwrap();
        let ratios = r_hat(all, &interrupt).unwrap();
        prop_assert_eq!((sizes.len(), ratios.len()), (dims, dims));
        for dim in 0..dims {
            let column = column(&values, steps, dims, dim);
            let exact = naive::diagnostics::effective_sample_size(&column);
            prop_assert!((sizes[dim] - exact).abs() <= 1e-7 * exact, "{} vs {exact}", sizes[dim]);
            let exact = naive::diagnostics::r_hat(&column);
            prop_assert!((ratios[dim] - exact).abs() <= 1e-9 * exact, "{} vs {exact}", ratios[dim]);
        }
    }

    #[test]
    fn nested_agrees_with_the_definition(
        superchains in 2_usize..6, members in 1_usize..9, steps in 1_usize..20, dims in 1_usize..11, seed: u64
    ) {
        prop_assume!(members * steps > 1);
        let chains = superchains * members;
        let values = draws(chains, steps, dims, seed);
        let all = Draws { values: &values, chains, steps, dims };
        let ratios = nested_r_hat(all, superchains, &Interrupt::new()).unwrap();
        for (dim, &ratio) in ratios.iter().enumerate() {
            let exact = naive::diagnostics::nested_r_hat(&column(&values, steps, dims, dim), superchains);
            prop_assert!(close(ratio, exact), "{ratio} vs {exact}");
        }
    }

    #[test]
    fn is_the_same_bits_on_any_threads_and_instruction_set(
        chains in 1_usize..12, steps in 4_usize..60, dims in 1_usize..40, seed: u64
    ) {
        let values = draws(chains, steps, dims, seed);
        let all = Draws { values: &values, chains, steps, dims };
        for diagnostic in [effective_sample_size as Diagnostic, r_hat as Diagnostic] {
            simd::force(Isa::Scalar).unwrap();
            pool::set_num_threads(1).unwrap();
            let expected = diagnostic(all, &Interrupt::new()).unwrap();
            for isa in [Isa::V3, Isa::V4].into_iter().filter(|isa| isa.is_available()) {
                simd::force(isa).unwrap();
                pool::set_num_threads(3).unwrap();
                prop_assert_eq!(&diagnostic(all, &Interrupt::new()).unwrap(), &expected);
            }
        }
    }
}

#[test]
fn what_does_not_vary_has_no_diagnostics() {
    let values = vec![0.1; 3 * 8 * 2];
    let all = Draws { values: &values, chains: 3, steps: 8, dims: 2 };
    assert!(effective_sample_size(all, &Interrupt::new()).unwrap().iter().all(|v| v.is_nan()));
    assert!(r_hat(all, &Interrupt::new()).unwrap().iter().all(|v| v.is_nan()));
    assert!(nested_r_hat(all, 3, &Interrupt::new()).unwrap().iter().all(|v| v.is_nan()));
    // Chains that are stuck apart disagree without bound.
    let stuck: Vec<f64> = (0..24).map(|i| f64::from(i / 8)).collect();
    let all = Draws { values: &stuck, chains: 3, steps: 8, dims: 1 };
    assert_eq!(r_hat(all, &Interrupt::new()).unwrap(), [f64::INFINITY]);
    assert_eq!(nested_r_hat(all, 3, &Interrupt::new()).unwrap(), [f64::INFINITY]);
    assert!(effective_sample_size(all, &Interrupt::new()).unwrap()[0].is_nan());
}

#[test]
fn refuses_what_makes_no_sense() {
    let interrupt = Interrupt::new();
    let mut values = draws(4, 6, 3, 1);
    let short = Draws { values: &values[..4 * 3 * 3], chains: 4, steps: 3, dims: 3 };
    assert!(matches!(r_hat(short, &interrupt), Err(Error::Shape { argument: "draws", .. })));
    assert!(matches!(effective_sample_size(short, &interrupt), Err(Error::Shape { argument: "draws", .. })));
    let all = Draws { values: &values, chains: 4, steps: 6, dims: 3 };
    for superchains in [0, 1, 3, 8] {
        let refused = nested_r_hat(all, superchains, &interrupt);
        assert!(matches!(refused, Err(Error::Domain { argument: "superchains", .. })));
    }
    let single = Draws { values: &values[..4], chains: 4, steps: 1, dims: 1 };
    assert!(matches!(nested_r_hat(single, 4, &interrupt), Err(Error::Shape { argument: "draws", .. })));
    assert!(nested_r_hat(single, 2, &interrupt).is_ok());
    values[(2 * 6 + 5) * 3 + 1] = f64::NAN;
    let all = Draws { values: &values, chains: 4, steps: 6, dims: 3 };
    let error = r_hat(all, &interrupt).unwrap_err().to_string();
    assert_eq!(error, "`draws` must be finite; got NaN in chain 2, step 5, quantity 1");
    values[(2 * 6 + 5) * 3 + 1] = 0.0;
    let all = Draws { values: &values, chains: 4, steps: 6, dims: 3 };
    let raised = Interrupt::new();
    raised.raise();
    assert_eq!(effective_sample_size(all, &raised), Err(Error::Interrupted));
}
