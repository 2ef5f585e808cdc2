//! Radii and counts: 4,000 rows of 64 and of 2,048 float32.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gancore_kernels::neighbors::{self, Balls};
use gancore_kernels::pool::{self, Interrupt};

fn neighbors(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let n = 4_000;
    let mut group = c.benchmark_group("neighbors, 1 thread");
    group.sample_size(10);
    for d in [64, 2_048] {
        let x: Vec<f32> = (0..n * d).map(|i| (i * 2_654_435_761 % 1_000_003) as f32 / 1e6).collect();
        let y: Vec<f32> = x.iter().rev().copied().collect();
        let radii = neighbors::knn_distances(&x, d, 1, &Interrupt::new()).unwrap();
        group.bench_function(format!("knn_distances, d = {d}"), |b| {
            b.iter(|| neighbors::knn_distances(black_box(&x), d, 5, &Interrupt::new()));
        });
        group.bench_function(format!("ball_counts, d = {d}"), |b| {
            let (x, y) = (Balls { centers: &x, radii: &radii }, Balls { centers: &y, radii: &radii });
            b.iter(|| neighbors::ball_counts(black_box(x), black_box(y), d, &Interrupt::new()));
        });
    }
    group.finish();
}

criterion_group!(benches, neighbors);
criterion_main!(benches);
