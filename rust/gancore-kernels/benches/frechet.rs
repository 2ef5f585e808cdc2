//! The trace of the root of a product, of order 512: both ways.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gancore_kernels::frechet::{self, Matrix};
use gancore_kernels::moments::Moments;
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rng::{Address, Stream};

fn covariance(n: usize, d: usize, seed: u64) -> Vec<f64> {
    let mut x = vec![0.0; n * d];
    Address { seed, stream: Stream::Initial, step: 0 }.normals(0, d, &mut x);
    let mut state = Moments::new(d).unwrap();
    state.insert(&x, &Interrupt::new()).unwrap();
    state.covariance().unwrap()
}

fn frechet(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let d = 512;
    let mut group = c.benchmark_group("trace_sqrt_product of order 512, 1 thread");
    group.sample_size(10);
    for (name, n) in [("full rank", 4 * d), ("rank 128", 129)] {
        let (a, b) = (covariance(n, d, 0), covariance(n, d, 1));
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let [a, b] = [("a", &a), ("b", &b)]
                    .map(|(argument, entries)| Matrix { argument, entries: black_box(entries) });
                frechet::trace_sqrt_product(a, b, d, f64::EPSILON, &Interrupt::new())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, frechet);
criterion_main!(benches);
