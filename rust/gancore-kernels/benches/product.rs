//! Products of tiles: the rate is that of 2 d operations an entry.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gancore_kernels::linalg::product::{self, Factor, Packed, TILE};

fn tiles<P: Factor>(c: &mut Criterion, name: &str) {
    let mut group = c.benchmark_group(format!("product of {TILE} rows, {name}"));
    group.sample_size(20);
    for d in [64, 2_048] {
        let rows: Vec<f64> = (0..TILE * d).map(|i| (i * 7_919 % 1_009) as f64 / 1_009.0).collect();
        let center = vec![0.5; d];
        let mut x = Packed::<P>::default();
        x.pack(TILE, |i| &rows[i * d..(i + 1) * d], &center, 1.0);
        let (y, mut out) = (x.clone(), Vec::new());
        for (what, lower) in [("whole", false), ("lower triangle", true)] {
            let entries = if lower { TILE * (TILE + 1) / 2 } else { TILE * TILE };
            group.throughput(Throughput::Elements((2 * d * entries) as u64));
            group.bench_function(BenchmarkId::new(what, d), |b| {
                b.iter(|| product::tile(black_box(&x), black_box(&y), lower, &mut out));
            });
        }
        group.throughput(Throughput::Elements((TILE * d) as u64));
        group.bench_function(BenchmarkId::new("packing", d), |b| {
            b.iter(|| x.pack(TILE, |i| &black_box(&rows)[i * d..(i + 1) * d], &center, 1.0));
        });
    }
    group.finish();
}

fn products(c: &mut Criterion) {
    tiles::<f32>(c, "float32");
    tiles::<f64>(c, "float64");
}

criterion_group!(benches, products);
criterion_main!(benches);
