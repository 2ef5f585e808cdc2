//! Normals by counter, the fused step, and whole chains on a mixture of 25.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gancore_kernels::pool;
use gancore_kernels::rng::{Address, Stream};
use gancore_kernels::simd;

struct Normals<'a>(usize, &'a mut [f64]);

impl simd::Op for Normals<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        Address { seed: 1, stream: Stream::Proposal, step: 2 }.normals(0, self.0, self.1);
    }
}

fn langevin(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let mut group = c.benchmark_group("langevin, 1 thread");
    let mut out = vec![0.0; 1 << 14];
    group.throughput(Throughput::Elements(out.len() as u64));
    for dim in [2, 16, 128] {
        group.bench_function(format!("normals, dim {dim}"), |b| {
            b.iter(|| simd::dispatch(Normals(dim, black_box(&mut out))));
        });
    }
    group.finish();
}

criterion_group!(benches, langevin);
criterion_main!(benches);
