//! Products of packed rows against sums entry by entry: any shape, both types, each instruction set.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod product;
}

use gancore_kernels::linalg::product::{self, Factor, Packed, TILE, Way};
use gancore_kernels::linalg::{add_gram, mirror};
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::simd::{self, Isa};
use proptest::prelude::*;

/// Numbers in (-1, 1) that look like chance, exact in float32.
fn rows(n: usize, d: usize, seed: usize) -> Vec<Vec<f64>> {
    let number = |i: usize| ((i + seed).wrapping_mul(2_654_435_761) % 4_093) as f64 / 4_096.0;
    (0..n).map(|i| (0..d).map(|k| 2.0 * number(i * d + k) - 1.0).collect()).collect()
}

fn packed<P: Factor>(rows: &[Vec<f64>], d: usize) -> Packed<P> {
    let mut packed = Packed::default();
    packed.pack(rows.len(), |i| &rows[i], &vec![0.0; d], 1.0);
    packed
}

/// Compare with the naive product; what must not be written is 77.
fn agrees<P: Factor>(n: usize, m: usize, d: usize, depth: usize, way: Way) {
    let (x, y) = (rows(n, d, 1), rows(m, d, 5));
    let stride = m + 3;
    let mut out = vec![P::round(77.0); n * stride];
    product::multiply(&packed::<P>(&x, d), &packed::<P>(&y, d), depth, way, &mut out, stride).unwrap();
    let expected = naive::product::products(&x, &y, depth);
    for (i, row) in out.chunks(stride).enumerate() {
        for (j, &value) in row.iter().enumerate() {
            let value: f64 = value.into();
            if j >= m {
                assert_eq!(value, 77.0, "column {j} of {m}");
            } else if !way.lower || j <= i {
                let (sum, size) = expected[i][j];
                let (sum, size) = if way.add { (sum + 77.0, size + 77.0) } else { (sum, size) };
                let error = (value - sum).abs();
                let room = (depth as f64 + 2.0) * P::UNIT * size;
                assert!(error <= room, "{n} x {m} x {depth} of {d}, {way:?}: ({i}, {j}) is off by {error:e}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn agrees_with_sums_entry_by_entry(
        n in 1_usize..70, m in 1_usize..70, d in 1_usize..40, cut in 0_usize..40, lower: bool, add: bool,
    ) {
        let way = Way { lower, add };
        for isa in [Isa::Scalar, Isa::V3, Isa::V4].into_iter().filter(|isa| isa.is_available()) {
            simd::force(isa).unwrap();
            agrees::<f32>(n, m, d, cut.min(d), way);
            agrees::<f64>(n, m, d, cut.min(d), way);
        }
    }
}

#[test]
fn stretches_of_the_depth_add_up() {
    for d in [191, 192, 193, 384, 385, 800] {
        for lower in [false, true] {
            agrees::<f32>(17, 33, d, d, Way { lower, add: false });
            agrees::<f64>(17, 33, d, d - 1, Way { lower, add: true });
        }
    }
}

#[test]
fn a_packed_row_is_moved_scaled_and_rounded_once() {
    let (d, given) = (11, rows(21, 11, 3));
    let center: Vec<f64> = (0..d).map(|k| k as f64 / 7.0).collect();
    let mut packed = Packed::<f32>::default();
    packed.pack(400, |i| &given[i % 21], &center, 1.0);
    packed.pack(21, |i| &given[i], &center, 0.25);
    for (i, row) in given.iter().enumerate() {
        for k in 0..d {
            assert_eq!(packed.get(i, k), ((row[k] - center[k]) * 0.25) as f32);
        }
    }
}

#[test]
fn a_gram_matrix_is_added_in_bands_on_any_threads() {
    let (dim, n) = (2 * TILE + 7, 5);
    let columns: Vec<f64> = rows(dim, n + 1, 2).concat();
    let expected = naive::product::products(&rows(dim, n + 1, 2), &rows(dim, n + 1, 2), n);
    let run = |threads| {
        pool::set_num_threads(threads).unwrap();
        let mut sum = vec![1.0; dim * dim];
        add_gram(&mut sum, &columns, n, n + 1, &Interrupt::new()).unwrap();
        mirror(&mut sum, dim);
        sum
    };
    let sum = run(1);
    assert_eq!(sum, run(3));
    for (at, value) in sum.iter().enumerate() {
        assert!((value - 1.0 - expected[at / dim][at % dim].0).abs() <= 1e-14);
    }
}

#[test]
fn refuses_what_does_not_fit() {
    let (x, y) = (packed::<f64>(&rows(3, 4, 0), 4), packed::<f64>(&rows(2, 4, 0), 4));
    let way = Way { lower: false, add: false };
    let mut out = vec![0.0; 6];
    assert!(product::multiply(&x, &y, 4, way, &mut out, 2).is_ok());
    assert!(product::multiply(&x, &y, 5, way, &mut out, 2).is_err());
    assert!(product::multiply(&x, &y, 4, way, &mut out, 1).is_err());
    assert!(product::multiply(&x, &y, 4, way, &mut out[..5], 2).is_err());
    let short = packed::<f64>(&rows(2, 3, 0), 3);
    assert!(product::multiply(&x, &short, 3, way, &mut out, 2).is_err());
}
