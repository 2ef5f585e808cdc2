//! Exact transport between 1,000 random points on each side, squared distances.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gancore_kernels::emd::{self, Problem, TOLERANCE_F64};
use gancore_kernels::pool::{self, Interrupt};

fn emd(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let n = 1_000;
    let point = |k: usize| (k * 2_654_435_761 % 1_000_003) as f64 / 1_000_003.0;
    let mut group = c.benchmark_group("emd, 1 thread");
    group.sample_size(10);
    for d in [2, 64] {
        let (x, y): (Vec<f64>, Vec<f64>) = (0..n * d).map(|k| (point(k), point(k + n * d))).unzip();
        let cost: Vec<f64> =
            (0..n * n).map(|k| (0..d).map(|l| (x[k / n * d + l] - y[k % n * d + l]).powi(2)).sum()).collect();
        let equal = vec![1.0; n];
        let other: Vec<f64> = (0..n).map(|k| 0.5 + point(7 * k)).collect();
        for (name, a) in [("equal", &equal), ("other", &other)] {
            let b: Vec<f64> = a.iter().rev().copied().collect();
            let problem = Problem {
                a,
                b: &b,
                cost: &cost,
                tolerance: TOLERANCE_F64,
                normalize: false,
                max_iterations: None,
            };
            group.bench_function(format!("{name} masses, d = {d}"), |bench| {
                bench.iter(|| emd::solve(black_box(problem), &Interrupt::new()));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, emd);
criterion_main!(benches);
