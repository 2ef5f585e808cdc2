//! W_1 of a million points on each side, with and without weights, and sliced distances.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rng::{Address, Stream};
use gancore_kernels::wasserstein::{self, Clouds, Samples};

fn wasserstein(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let draw = |seed| {
        let mut points = vec![0.0; 1_000_000];
        Address { seed, stream: Stream::Initial, step: 0 }.normals(0, 1, &mut points);
        points
    };
    let (x, y) = (draw(0), draw(1));
    let mut group = c.benchmark_group("wasserstein_1d, 10^6 points, 1 thread");
    group.sample_size(10);
    for m in [x.len(), x.len() - 1] {
        let samples = Samples { x: &x, y: &y[..m], x_weights: None, y_weights: None, n: x.len(), m, rows: 1 };
        group.bench_function(format!("m = {m}"), |b| {
            b.iter(|| wasserstein::wasserstein_1d(black_box(samples), 1.0, &Interrupt::new()));
        });
    }
    let weights: Vec<f64> = x.iter().map(|v| v.abs()).collect();
    let samples = Samples {
        x: &x,
        y: &y,
        x_weights: Some(&weights),
        y_weights: Some(&weights),
        n: x.len(),
        m: y.len(),
        rows: 1,
    };
    group.bench_function("weighted", |b| {
        b.iter(|| wasserstein::wasserstein_1d(black_box(samples), 1.0, &Interrupt::new()));
    });
    let clouds = Clouds { x: &x[..640_000], y: &y[..640_000], dim: 64 };
    group.bench_function("sliced, 10,000 points of dimension 64, 100 projections", |b| {
        b.iter(|| wasserstein::sliced_wasserstein(black_box(clouds), 2.0, 100, 0, &Interrupt::new()));
    });
    group.finish();
}

criterion_group!(benches, wasserstein);
criterion_main!(benches);
