//! Normals by counter, the fused step, and whole chains on a mixture of 25: 10,000 chains.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::ops::AddAssign;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gancore_kernels::langevin::{self, Dynamics, GaussianMixture, Noise, Schedule};
use gancore_kernels::num::{self, Real};
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rng::{Address, Stream};
use gancore_kernels::simd::{self, Op};

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

/// Chains side by side, as the kernel takes them.
const WIDTH: usize = 64;

const COMPONENTS: usize = 25;

/// Exponentials side by side.
const BLOCK: usize = 5;

/// Within lines of the cache, as the kernel's.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Column<N>([N; WIDTH]);

/// The routines that chains of a type of states call.
trait Number: Real + Default + AddAssign {
    fn normals(address: Address, lane: &[u64; WIDTH]) -> [[Self; WIDTH]; 4];

    fn powers(exponents: [Self; BLOCK]) -> [Self; BLOCK];
}

impl Number for f32 {
    #[inline(always)]
    fn normals(address: Address, lane: &[u64; WIDTH]) -> [[f32; WIDTH]; 4] {
        address.normal_block_single::<1, WIDTH>(&[0; WIDTH], lane)
    }

    #[inline(always)]
    fn powers(exponents: [f32; BLOCK]) -> [f32; BLOCK] {
        num::single::exp2_normals(exponents)
    }
}

impl Number for f64 {
    #[inline(always)]
    fn normals(address: Address, lane: &[u64; WIDTH]) -> [[f64; WIDTH]; 4] {
        address.normal_block::<1, WIDTH>(&[0; WIDTH], lane)
    }

    #[inline(always)]
    fn powers(exponents: [f64; BLOCK]) -> [f64; BLOCK] {
        num::exp2_normals(exponents)
    }
}

/// The steps of a tile of chains with nothing left but two normals and 25 exponentials a chain and step.
struct Floor<'a, N> {
    exponents: &'a [Column<N>],
    steps: u64,
    first: u64,
    sums: &'a mut [Column<N>; 3],
}

impl<N: Number> Op for Floor<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut lane = [self.first; WIDTH];
        for (i, lane) in lane.iter_mut().enumerate() {
            *lane += i as u64;
        }
        let [total, first, second] = self.sums;
        for step in 0..self.steps {
            let normals = N::normals(Address { seed: 1, stream: Stream::Proposal, step }, &lane);
            (first.0, second.0) = (normals[0], normals[1]);
            black_box((&mut *first, &mut *second));
            let mut sum = Column([N::default(); WIDTH]);
            for rows in black_box(self.exponents).as_chunks::<BLOCK>().0 {
                for i in 0..WIDTH {
                    let mut exponents = [N::default(); BLOCK];
                    for k in 0..BLOCK {
                        exponents[k] = rows[k].0[i];
                    }
                    let powers = N::powers(exponents);
                    for k in 0..BLOCK {
                        sum.0[i] += powers[k];
                    }
                }
            }
            *total = sum;
        }
    }
}

fn chains(c: &mut Criterion) {
    compare::<f32>(c, "float32");
    compare::<f64>(c, "float64");
}

fn compare<N: Number>(c: &mut Criterion, name: &str) {
    pool::set_num_threads(1).unwrap();
    let (chains, steps, std, interrupt) = (10_000, 10, 0.05, Interrupt::new());
    let means: Vec<f64> = (0..25).flat_map(|i| [f64::from(i % 5) - 2.0, f64::from(i / 5) - 2.0]).collect();
    let mixture = GaussianMixture::new(&means, 2, &[std; COMPONENTS], &[0.04; COMPONENTS]).unwrap();
    let mut drawn = vec![0.0; 2 * chains];
    mixture.sample(&mut drawn, 0, &interrupt).unwrap();
    let mut states: Vec<N> = drawn.iter().map(|&x| N::round(x)).collect();
    let mut group =
        c.benchmark_group(format!("langevin chains on a mixture of 25, chain-steps, {name}, 1 thread"));
    group.throughput(Throughput::Elements(chains as u64 * steps)).sample_size(20);
    let dynamics = Dynamics { step_size: 0.1 * std * std, temperature: 1.0 };
    let schedule = Schedule { dynamics, metropolis: false, steps, noise: NOISE, record_energy: false };
    group.bench_function("normals and exponentials alone", |b| {
        let exponents = [Column([N::round(-3.7); WIDTH]); COMPONENTS];
        let mut sums = [Column([N::default(); WIDTH]); 3];
        b.iter(|| {
            for first in (0..chains as u64).step_by(WIDTH) {
                simd::dispatch(Floor { exponents: &exponents, steps, first, sums: &mut sums });
            }
            black_box(&mut sums);
        });
    });
    for (name, metropolis, record_energy) in
        [("unadjusted", false, false), ("unadjusted, energies", false, true), ("metropolis", true, false)]
    {
        let schedule = Schedule { metropolis, record_energy, ..schedule };
        group.bench_function(name, |b| {
            b.iter(|| mixture.langevin(black_box(&mut states), schedule, &interrupt));
        });
    }
    let overlapping = GaussianMixture::new(&means, 2, &[1.0; COMPONENTS], &[0.04; COMPONENTS]).unwrap();
    let mut onwards = schedule;
    group.bench_function("unadjusted, components that overlap", |b| {
        b.iter(|| {
            // The same noise each time would drive the chains away, so wide are the components.
            onwards.noise.step += steps;
            overlapping.langevin(black_box(&mut states), onwards, &interrupt)
        });
    });
    let mut velocities = vec![N::default(); states.len()];
    group.bench_function("velocities", |b| {
        b.iter(|| {
            let states = black_box(&mut states);
            mixture.underdamped(states, &mut velocities, 2.0 / std, schedule, &interrupt)
        });
    });
    group.finish();
}

criterion_group!(benches, numbers, chains);
criterion_main!(benches);
