//! Split R-hat and effective sample size of 4 chains of 1,000 draws of 128 quantities, and of 512 short chains of one.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gancore_kernels::diagnostics::{Draws, effective_sample_size, r_hat};
use gancore_kernels::langevin::{self, Noise};
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rng::Stream;

fn diagnostics(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let interrupt = Interrupt::new();
    let mut group = c.benchmark_group("diagnostics, draws, 1 thread");
    for (chains, steps, dims) in [(4, 1000, 128), (512, 51, 1)] {
        let mut values = vec![0.0; chains * steps * dims];
        let noise = Noise { seed: 1, step: 0, first_chain: 0 };
        langevin::normals(&mut values, 1, Stream::Initial, noise, &interrupt).unwrap();
        let draws = Draws { values: &values, chains, steps, dims };
        group.throughput(Throughput::Elements(values.len() as u64)).sample_size(20);
        group.bench_function(format!("R-hat ({chains}, {steps}, {dims})"), |b| {
            b.iter(|| r_hat(black_box(draws), &interrupt));
        });
        group.bench_function(format!("ESS ({chains}, {steps}, {dims})"), |b| {
            b.iter(|| effective_sample_size(black_box(draws), &interrupt));
        });
    }
    group.finish();
}

criterion_group!(benches, diagnostics);
criterion_main!(benches);
