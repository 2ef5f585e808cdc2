//! Eigenvalues of a symmetric matrix, on one thread and on two.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use gancore_kernels::linalg::eigen::symmetric_eigenvalues;
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rng::{Address, Stream};

fn eigen(c: &mut Criterion) {
    let mut group = c.benchmark_group("symmetric_eigenvalues");
    group.sample_size(10);
    for n in [256, 1024] {
        // Only the lower triangle is read, so any square array is a symmetric matrix.
        let mut a = vec![0.0; n * n];
        Address { seed: 0, stream: Stream::Initial, step: 0 }.normals(0, n * n, &mut a);
        for threads in [1, 2] {
            pool::set_num_threads(threads).unwrap();
            group.bench_function(BenchmarkId::new(format!("{threads} threads"), n), |bench| {
                bench.iter_batched(
                    || a.clone(),
                    |mut a| symmetric_eigenvalues(black_box(&mut a), n, &Interrupt::new()),
                    BatchSize::LargeInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, eigen);
criterion_main!(benches);
