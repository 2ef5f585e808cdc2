//! Subsets of KID, and all pairs: 10 x 1,000 and 4,000 rows of 2,048 float32.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gancore_kernels::mmd::{self, Kernel, Samples};
use gancore_kernels::pool::{self, Interrupt};

fn mmd2(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let (n, d) = (4_000, 2_048);
    let x: Vec<f32> = (0..n * d).map(|i| (i * 2_654_435_761 % 1009) as f32 / 1009.0).collect();
    let y: Vec<f32> = x.iter().rev().copied().collect();
    let kernel = Kernel::Polynomial { degree: 3, gamma: 1.0 / d as f64, coef0: 1.0 };
    let samples = Samples { x: &x, y: &y, d, kernel: &kernel, unbiased: true };
    let rows: Vec<i64> = (0..10).flat_map(|s| (0..1000).map(move |i| (4 * i + s) % 4000)).collect();
    let mut group = c.benchmark_group("mmd2, 1 thread");
    group.sample_size(10);
    group.bench_function("subsets", |b| {
        b.iter(|| mmd::mmd2_subsets(black_box(samples), &rows, &rows, 1000, &Interrupt::new()));
    });
    group.bench_function("all pairs", |b| b.iter(|| mmd::mmd2(black_box(samples), &Interrupt::new())));
    group.finish();
}

criterion_group!(benches, mmd2);
criterion_main!(benches);
