//! Roll-outs: tokens from 1,216 rows of 5,000 logits.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rollout::{self, Draws, Law};

fn sampling(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let (rows, vocabulary) = (1_216, 5_000);
    let logits: Vec<f32> =
        (0..rows * vocabulary).map(|i| (i * 2_654_435_761 % 1009) as f32 / 200.0).collect();
    let draws = Draws::Counter { seed: 0, step: 0, first_row: 0 };
    let mut group = c.benchmark_group("sample_categorical, 1 thread");
    group.throughput(Throughput::Elements((rows * vocabulary) as u64)).sample_size(20);
    for top_k in [None, Some(50)] {
        let law = Law { temperature: 1.0, top_k };
        group.bench_function(format!("top_k {top_k:?}"), |b| {
            b.iter(|| {
                rollout::sample_categorical(black_box(&logits), vocabulary, law, draws, &Interrupt::new())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, sampling);
criterion_main!(benches);
