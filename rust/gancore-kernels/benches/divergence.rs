//! Rows of divergences: 2,000 x 1,000 float64.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gancore_kernels::divergence::{self, Measure, Rows};
use gancore_kernels::pool::{self, Interrupt};

fn divergence(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let (rows, width) = (2_000, 1_000);
    let p: Vec<f64> = (0..rows * width).map(|i| (i * 2_654_435_761 % 1009) as f64 + 1.0).collect();
    let q: Vec<f64> = p.iter().rev().copied().collect();
    let batch = Rows { p: &p, q: &q, width, normalize: true };
    let mut group = c.benchmark_group("divergence, 1 thread");
    group.throughput(Throughput::Elements((rows * width) as u64)).sample_size(20);
    for measure in [
        Measure::Kl,
        Measure::JensenShannon,
        Measure::TotalVariation,
        Measure::Hellinger,
        Measure::Alpha(2.5),
        Measure::Entropy,
    ] {
        group.bench_function(format!("{measure:?}"), |b| {
            b.iter(|| divergence::divergence(measure, black_box(batch), &Interrupt::new()));
        });
    }
    group.finish();
}

criterion_group!(benches, divergence);
criterion_main!(benches);
