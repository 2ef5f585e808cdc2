//! Streaming moments against two passes, in any batches, merged in any order.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod moments;
}

use gancore_kernels::error::Error;
use gancore_kernels::moments::Moments;
use gancore_kernels::pool::{self, Interrupt};
use gancore_kernels::rng::{Address, Stream};
use proptest::prelude::*;

fn normals(n: usize, d: usize, seed: u64) -> Vec<f64> {
    let mut x = vec![0.0; n * d];
    Address { seed, stream: Stream::Initial, step: 0 }.normals(0, d, &mut x);
    x
}

fn moments(rows: &[f64], d: usize, batch: usize) -> Moments {
    let mut state = Moments::new(d).unwrap();
    for chunk in rows.chunks(batch * d) {
        state.insert(chunk, &Interrupt::new()).unwrap();
    }
    state
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|v| v * v).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}

proptest! {
    #[test]
    fn agrees_with_two_passes(n in 2_usize..40, d in 1_usize..7, batch in 1_usize..9, shift in -100.0..100.0, seed: u64) {
        let mut x = normals(n, d, seed);
        for value in &mut x {
            *value += shift;
        }
        let rows: Vec<Vec<f64>> = x.chunks(d).map(<[f64]>::to_vec).collect();
        let state = moments(&x, d, batch);
        prop_assert_eq!(state.count(), n as u64);
        prop_assert!(distance(&state.mean().unwrap(), &naive::moments::mean(&rows)) < 1e-13);
        prop_assert!(distance(&state.covariance().unwrap(), &naive::moments::covariance(&rows)) < 1e-12);
    }

    #[test]
    fn merging_is_seeing_all_rows(cut in 0_usize..60, second in 0_usize..60, seed: u64) {
        let (d, x) = (3, normals(60, 3, seed));
        let (low, high) = (cut.min(second) * d, cut.max(second) * d);
        let parts = [&x[..low], &x[low..high], &x[high..]].map(|part| moments(part, d, 7));
        let left = parts[0].combine(&parts[1]).unwrap().combine(&parts[2]).unwrap();
        let right = parts[0].combine(&parts[1].combine(&parts[2]).unwrap()).unwrap();
        let whole = moments(&x, d, 60).covariance().unwrap();
        prop_assert_eq!(left.count(), 60);
        prop_assert!(distance(&left.covariance().unwrap(), &whole) < 1e-12);
        prop_assert!(distance(&right.covariance().unwrap(), &left.covariance().unwrap()) < 1e-12);
    }
}

#[test]
fn a_mean_a_million_deviations_away_costs_no_digits() {
    let (n, d) = (3000, 5);
    // On a grid, so that the shift is exact and the covariance must be that of the unshifted rows.
    let x: Vec<f64> = normals(n, d, 1).into_iter().map(|v| (v * 4096.0).round() / 4096.0).collect();
    let far: Vec<f64> = x.iter().map(|v| v + 1e6).collect();
    let (near, far) = (moments(&x, d, 100), moments(&far, d, 100));
    assert!(distance(&far.covariance().unwrap(), &near.covariance().unwrap()) < 1e-12);
}

#[test]
fn blocks_and_bands_are_the_same_bits_on_any_threads() {
    let (n, d) = (2500, 300);
    let x = normals(n, d, 2);
    let [one, three] = [1, 3].map(|threads| {
        pool::set_num_threads(threads).unwrap();
        moments(&x, d, 333).covariance().unwrap()
    });
    assert_eq!(one, three);
    let rows: Vec<Vec<f64>> = x.chunks(d).map(|r| r[..4].to_vec()).collect();
    let expected = naive::moments::covariance(&rows);
    let corner: Vec<f64> = (0..16).map(|at| one[at / 4 * d + at % 4]).collect();
    assert!(distance(&corner, &expected) < 1e-12);
}

#[test]
fn parts_go_on_as_the_state_they_came_from() {
    let x = normals(1500, 3, 3);
    let whole = moments(&x, 3, 100);
    let half = moments(&x[..2100], 3, 100);
    let mut again = Moments::from_parts(&half.parts()).unwrap();
    for chunk in x[2100..].chunks(300) {
        again.insert(chunk, &Interrupt::new()).unwrap();
    }
    assert_eq!(again.parts(), whole.parts());
}

#[test]
fn float32_features_are_summed_in_float64() {
    let x: Vec<f32> = normals(500, 2, 4).into_iter().map(|v| v as f32 + 1000.0).collect();
    let wide: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
    let mut state = Moments::new(2).unwrap();
    state.insert(&x, &Interrupt::new()).unwrap();
    assert_eq!(state.parts(), moments(&wide, 2, 500).parts());
}

#[test]
fn refuses_what_it_cannot_take_and_takes_nothing_of_it() {
    let mut state = moments(&[1.0, 2.0], 2, 1);
    let before = state.clone();
    for bad in [f64::NAN, f64::INFINITY] {
        let refused = state.insert(&[1.0, 1.0, 1.0, bad], &Interrupt::new());
        let Err(Error::Domain { argument: "features", got, .. }) = refused else { panic!("{refused:?}") };
        assert!(got.ends_with("in row 1, column 1"));
    }
    assert!(state.insert(&[1.0], &Interrupt::new()).is_err());
    assert_eq!(state.parts(), before.parts());
    assert!(state.covariance().is_err());
    assert!(Moments::new(2).unwrap().mean().is_err());
    assert!(Moments::new(0).is_err());
    assert!(state.combine(&Moments::new(3).unwrap()).is_err());
}
