//! Rows of divergences: 2,000 x 1,000 float64.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gancore_kernels::divergence::{self, Rows};
use gancore_kernels::pool::{self, Interrupt};

fn divergence(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let (rows, width) = (2_000, 1_000);
    let p: Vec<f64> = (0..rows * width).map(|i| (i * 2_654_435_761 % 1009) as f64 + 1.0).collect();
    let q: Vec<f64> = p.iter().rev().copied().collect();
    let batch = Rows { p: &p, q: &q, width, normalize: true };
    let mut group = c.benchmark_group("divergence, 1 thread");
    group.throughput(Throughput::Elements((rows * width) as u64)).sample_size(20);
    group.bench_function("kl", |b| b.iter(|| divergence::kl(black_box(batch), &Interrupt::new())));
    group.bench_function("jensen_shannon", |b| {
        b.iter(|| divergence::jensen_shannon(black_box(batch), &Interrupt::new()));
    });
    group.bench_function("total_variation", |b| {
        b.iter(|| divergence::total_variation(black_box(batch), &Interrupt::new()));
    });
    group.finish();
}

criterion_group!(benches, divergence);
criterion_main!(benches);
