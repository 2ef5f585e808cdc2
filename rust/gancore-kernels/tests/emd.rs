//! Exact transport against enumeration, with its certificate checked entry by entry, and bad input.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod emd;
}

use gancore_kernels::emd::{self, Batch, Plan, Problem, TOLERANCE_F64};
use gancore_kernels::error::Error;
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::simd::{self, Isa};
use proptest::prelude::*;

fn problem<'a>(a: &'a [f64], b: &'a [f64], cost: &'a [f64]) -> Problem<'a, f64> {
    Problem { a, b, cost, tolerance: TOLERANCE_F64, normalize: false, max_iterations: None }
}

fn solve(a: &[f64], b: &[f64], cost: &[f64]) -> Plan {
    emd::solve(problem(a, b, cost), &Interrupt::new()).unwrap()
}

/// Pseudo-random numbers in [0, 1).
fn draw(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| next()).collect()
}

fn scaled_to_one(masses: Vec<f64>) -> Vec<f64> {
    let total: f64 = masses.iter().sum();
    masses.into_iter().map(|mass| mass / total).collect()
}

/// Marginals, feasibility, complementary slackness and strong duality.
fn check(a: &[f64], b: &[f64], cost: &[f64], plan: &Plan) {
    let (n, m) = (a.len(), b.len());
    let largest = cost.iter().fold(0.0_f64, |x, c| x.max(c.abs()));
    let total: f64 = a.iter().sum();
    let (mut rows, mut columns) = (vec![0.0; n], vec![0.0; m]);
    assert!(plan.mass.len() < n + m);
    for ((&i, &j), &mass) in plan.rows.iter().zip(&plan.columns).zip(&plan.mass) {
        let (i, j) = (usize::try_from(i).unwrap(), usize::try_from(j).unwrap());
        assert!(mass > 0.0);
        rows[i] += mass;
        columns[j] += mass;
        let slack = cost[i * m + j] - plan.dual_a[i] - plan.dual_b[j];
        assert!(slack <= 1e-14 * largest, "{slack:e} at ({i}, {j})");
    }
    for (sums, masses) in [(rows, a), (columns, b)] {
        for (sum, mass) in sums.iter().zip(masses) {
            assert!((sum - mass).abs() <= 1e-12 * mass, "{sum:e} for {mass:e}");
        }
    }
    for (k, c) in cost.iter().enumerate() {
        let bound = plan.dual_a[k / m] + plan.dual_b[k % m];
        assert!(bound <= c + 1e-15 * largest, "{bound:e} above {c:e} at {k}");
    }
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let bound = dot(a, &plan.dual_a) + dot(b, &plan.dual_b);
    assert!((plan.cost - bound).abs() <= 1e-13 * largest * total, "{:e} {bound:e}", plan.cost);
    assert!(plan.gap >= 0.0 && plan.gap <= 1e-14 * largest * total, "{:e}", plan.gap);
}

/// Integer masses of at most six units, zeros among them, and small integer costs.
fn countable() -> impl Strategy<Value = (Vec<usize>, Vec<usize>, Vec<f64>)> {
    (1_usize..=5, 1_usize..=5, 1_usize..=6).prop_flat_map(|(n, m, units)| {
        let masses = |atoms: usize| {
            prop::collection::vec(0..atoms, units).prop_map(move |at| {
                let mut masses = vec![0; atoms];
                for k in at {
                    masses[k] += 1;
                }
                masses
            })
        };
        let costs = prop::collection::vec((-3..6).prop_map(f64::from), n * m);
        (masses(n), masses(m), costs)
    })
}

proptest! {
    #[test]
    fn is_the_best_of_all_pairings((a, b, cost) in countable()) {
        let floats = |masses: &[usize]| -> Vec<f64> { masses.iter().map(|&mass| mass as f64).collect() };
        let plan = solve(&floats(&a), &floats(&b), &cost);
        check(&floats(&a), &floats(&b), &cost, &plan);
        prop_assert_eq!(plan.cost, naive::emd::cost(&a, &b, &cost));
    }

    #[test]
    fn proves_itself_on_random_problems(seed in 0_u64..10_000, n in 1_usize..70, m in 1_usize..70) {
        let a = scaled_to_one(draw(seed, n));
        let b = scaled_to_one(draw(seed + 1, m));
        let cost = draw(seed + 2, n * m);
        check(&a, &b, &cost, &solve(&a, &b, &cost));
        let equal = vec![1.0; n];
        let cost = draw(seed + 3, n * n);
        check(&equal, &equal, &cost, &solve(&equal, &equal, &cost));
    }

    #[test]
    fn masses_of_all_magnitudes_are_exact(seed in 0_u64..1000, n in 1_usize..20) {
        let a: Vec<f64> = draw(seed, n).into_iter().map(|x| (-1000.0 * x).exp2()).collect();
        let b: Vec<f64> = a.iter().rev().copied().collect();
        let cost = draw(seed + 1, n * n);
        check(&a, &b, &cost, &solve(&a, &b, &cost));
    }

    #[test]
    fn is_the_same_bits_on_any_threads_and_instruction_set(seed in 0_u64..1000) {
        let (n, m) = (90, 70);
        let a = scaled_to_one(draw(seed, n));
        let b = scaled_to_one(draw(seed + 1, m));
        let cost = draw(seed + 2, n * m);
        let equal = vec![0.5; n];
        let square = draw(seed + 3, n * n);
        simd::force(Isa::Scalar).unwrap();
        pool::set_num_threads(1).unwrap();
        let expected = (solve(&a, &b, &cost), solve(&equal, &equal, &square));
        for isa in [Isa::Scalar, Isa::V3, Isa::V4].into_iter().filter(|isa| isa.is_available()) {
            simd::force(isa).unwrap();
            pool::set_num_threads(3).unwrap();
            prop_assert_eq!(&(solve(&a, &b, &cost), solve(&equal, &equal, &square)), &expected);
        }
    }
}

#[test]
fn no_pivot_is_lost_on_ties() {
    // Constant costs, and costs of two values, make every reduced cost a tie.
    for n in [1, 2, 17, 60] {
        let a = vec![1.0; n];
        assert_eq!(solve(&a, &a, &vec![3.0; n * n]).cost, 3.0 * n as f64);
        let two: Vec<f64> = (0..n * n).map(|k| f64::from(k % n < k / n)).collect();
        let plan = solve(&a, &a, &two);
        check(&a, &a, &two, &plan);
        assert_eq!(plan.cost, 0.0);
    }
}

#[test]
fn a_batch_is_its_problems() {
    let (a, b) = (draw(1, 12), draw(2, 9));
    let (own, shared) = (draw(3, 36), draw(3, 12));
    let solve_all = |cost: &[f64]| {
        let problems = Problem { normalize: true, ..problem(&a, &b, cost) };
        emd::costs(Batch { problems, n: 4, m: 3 }, &Interrupt::new()).unwrap()
    };
    for k in 0..3 {
        let one = |cost: &[f64]| {
            let (a, b) = (&a[4 * k..4 * k + 4], &b[3 * k..3 * k + 3]);
            emd::solve(Problem { normalize: true, ..problem(a, b, cost) }, &Interrupt::new()).unwrap().cost
        };
        assert_eq!(solve_all(&own)[k], one(&own[12 * k..12 * k + 12]));
        assert_eq!(solve_all(&shared)[k], one(&shared));
    }
}

#[test]
fn a_limit_is_an_error_with_the_gap_reached() {
    let n = 50;
    let (a, cost) = (scaled_to_one(draw(0, n)), draw(1, n * n));
    let b: Vec<f64> = a.iter().rev().copied().collect();
    let limited = |limit| {
        emd::solve(Problem { max_iterations: Some(limit), ..problem(&a, &b, &cost) }, &Interrupt::new())
    };
    let needed = solve(&a, &b, &cost).iterations;
    assert!(limited(needed).is_ok());
    let Err(Error::Convergence { got, .. }) = limited(needed / 2) else { panic!("no limit") };
    assert!(got.contains("gap"), "{got}");
}

#[test]
fn refuses_what_is_no_problem_by_name() {
    let half = [0.5, 0.5];
    let refuse =
        |a: &[f64], b: &[f64], cost: &[f64]| emd::solve(problem(a, b, cost), &Interrupt::new()).unwrap_err();
    for bad in [[f64::NAN, 1.0], [-0.5, 1.5], [f64::INFINITY, 0.0], [0.0, 0.0], [f64::MAX, f64::MAX]] {
        assert!(matches!(refuse(&bad, &half, &[0.0; 4]), Error::Domain { argument: "a", .. }), "{bad:?}");
        assert!(matches!(refuse(&half, &bad, &[0.0; 4]), Error::Domain { argument: "b", .. }), "{bad:?}");
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e305] {
        let error = refuse(&half, &half, &[0.0, 0.0, 0.0, bad]).to_string();
        assert!(error.starts_with("`cost`") && error.ends_with("at (1, 1)"), "{error}");
    }
    let unequal = refuse(&half, &[0.5, 0.25], &[0.0; 4]).to_string();
    assert!(unequal.contains("total 0.75") && unequal.contains("`a` is 1"), "{unequal}");
    assert!(matches!(refuse(&[], &[], &[]), Error::Shape { argument: "a", .. }));
    assert!(matches!(refuse(&half, &half, &[0.0; 3]), Error::Shape { argument: "cost", .. }));
    let interrupt = Interrupt::new();
    interrupt.raise();
    assert_eq!(emd::solve(problem(&half, &half, &[0.0; 4]), &interrupt), Err(Error::Interrupted));
}
