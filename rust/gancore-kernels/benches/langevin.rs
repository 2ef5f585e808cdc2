//! Normals by counter, the fused step, and whole chains on a mixture of 25: 10,000 chains.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gancore_kernels::langevin::{self, Dynamics, GaussianMixture, Noise, Schedule};
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rng::Stream;

const NOISE: Noise = Noise { seed: 1, step: 0, first_chain: 0 };

fn numbers(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let (rows, interrupt) = (1 << 13, Interrupt::new());
    let mut group = c.benchmark_group("langevin numbers, 1 thread");
    for dim in [2, 128] {
        let mut z = vec![0.0_f32; rows * dim];
        let grad = vec![0.1_f32; z.len()];
        let dynamics = Dynamics { step_size: 0.01, temperature: 1.0 };
        group.throughput(Throughput::Elements(z.len() as u64)).sample_size(20);
        group.bench_function(format!("normals, dim {dim}"), |b| {
            b.iter(|| langevin::normals(black_box(&mut z), dim, Stream::Initial, NOISE, &interrupt));
        });
        group.bench_function(format!("step, dim {dim}"), |b| {
            b.iter(|| langevin::step(black_box(&mut z), None, &grad, dim, dynamics, NOISE, &interrupt));
        });
    }
    group.finish();
}

fn chains(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let (chains, steps, std, interrupt) = (10_000, 10, 0.05, Interrupt::new());
    let means: Vec<f64> = (0..25).flat_map(|i| [f64::from(i % 5) - 2.0, f64::from(i / 5) - 2.0]).collect();
    let mixture = GaussianMixture::new(&means, 2, &[std; 25], &[0.04; 25]).unwrap();
    let mut states = vec![0.0; 2 * chains];
    mixture.sample(&mut states, 0, &interrupt).unwrap();
    let mut group = c.benchmark_group("langevin chains on a mixture of 25, chain-steps, 1 thread");
    group.throughput(Throughput::Elements(chains as u64 * steps)).sample_size(20);
    for (name, metropolis) in [("unadjusted", false), ("metropolis", true)] {
        let dynamics = Dynamics { step_size: 0.1 * std * std, temperature: 1.0 };
        let schedule = Schedule { dynamics, metropolis, steps, noise: NOISE, record_energy: true };
        group.bench_function(name, |b| {
            b.iter(|| mixture.langevin(black_box(&mut states), schedule, &interrupt));
        });
    }
    group.finish();
}

criterion_group!(benches, numbers, chains);
criterion_main!(benches);
