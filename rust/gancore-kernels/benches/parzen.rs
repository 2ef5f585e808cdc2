//! Parzen windows: 1,000 points among 1,000 samples of dimension 784, one bandwidth and ten.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gancore_kernels::parzen::{self, Matrix};
use gancore_kernels::pool::{self, Interrupt};

fn parzen(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let (n, dim) = (1_000, 784);
    let values: Vec<f64> = (0..n * dim).map(|i| (i * 2_654_435_761 % 1009) as f64 / 1009.0).collect();
    let matrix = Matrix { values: &values, dim };
    let mut group = c.benchmark_group("parzen, 1 thread");
    group.sample_size(10);
    for bandwidths in [vec![0.2], (1..=10).map(|i| 0.1 * f64::from(i)).collect()] {
        group.bench_function(format!("{} bandwidths", bandwidths.len()), |b| {
            b.iter(|| {
                parzen::log_likelihood(black_box(matrix), matrix, &bandwidths, &Interrupt::new()).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parzen);
criterion_main!(benches);
