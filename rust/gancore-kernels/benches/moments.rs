//! Moments of 4,096 x 512 float32 features.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gancore_kernels::moments::Moments;
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rng::{Address, Stream};

fn moments(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let (n, d) = (4096, 512);
    let mut x = vec![0.0; n * d];
    Address { seed: 0, stream: Stream::Initial, step: 0 }.normals(0, d, &mut x);
    let x: Vec<f32> = x.into_iter().map(|v| v as f32).collect();
    let mut group = c.benchmark_group("moments, 1 thread");
    group.sample_size(10);
    for batch in [50, 4096] {
        group.bench_function(format!("batches of {batch}"), |b| {
            b.iter(|| {
                let mut state = Moments::new(d).unwrap();
                for rows in black_box(&x).chunks(batch * d) {
                    state.insert(rows, &Interrupt::new()).unwrap();
                }
                state
            });
        });
    }
    group.finish();
}

criterion_group!(benches, moments);
criterion_main!(benches);
