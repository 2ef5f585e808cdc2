//! Neighbours and counts in balls against all distances, ties included.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod neighbors;
}

use gancore_kernels::error::Error;
use gancore_kernels::neighbors::{self, Balls};
use gancore_kernels::pool::{self, Interrupt};
use proptest::prelude::*;

/// Integers: distances are exact, with many ties and equal rows.
fn rows(d: usize) -> impl Strategy<Value = Vec<Vec<f64>>> {
    prop::collection::vec(prop::collection::vec((0_i32..4).prop_map(f64::from), d), 2..40)
}

proptest! {
    #[test]
    fn agrees_with_all_distances((x, y) in (1_usize..5).prop_flat_map(|d| (rows(d), rows(d)))) {
        let (d, interrupt) = (x[0].len(), Interrupt::new());
        let k = 1 + x.len() / 3;
        if k < x.len() {
            let got = neighbors::knn_distances(&x.concat(), d, k, &interrupt).unwrap();
            prop_assert_eq!(got, naive::neighbors::knn_distances(&x, k));
        }
        let x_radii: Vec<f64> = (0..x.len()).map(|i| ((i % 4) as f64).sqrt()).collect();
        let y_radii = vec![2_f64.sqrt(); y.len()];
        let (flat_x, flat_y) = (x.concat(), y.concat());
        let (of_x, of_y) = neighbors::ball_counts(
            Balls { centers: &flat_x, radii: &x_radii },
            Balls { centers: &flat_y, radii: &y_radii },
            d,
            &interrupt,
        )
        .unwrap();
        prop_assert_eq!((of_x.holds, of_x.held), naive::neighbors::ball_counts(&x, &x_radii, &y));
        prop_assert_eq!((of_y.holds, of_y.held), naive::neighbors::ball_counts(&y, &y_radii, &x));
    }
}

/// Rows for several tiles and blocks; few rows behind the last whole tile belong to it.
#[test]
fn agrees_with_all_distances_over_several_tiles() {
    let row = |i: usize| (0..3).map(|j| ((i * 7 + j * 5) * 7919 % 53) as f64).collect();
    for (n, m) in [(240 + 48, 2 * 240 + 1), (289, 1200), (5 * 240 + 47, 700)] {
        let (x, y): (Vec<Vec<f64>>, Vec<Vec<f64>>) =
            ((0..n).map(row).collect(), (5..m + 5).map(row).collect());
        let (flat_x, flat_y) = (x.concat(), y.concat());
        let got = neighbors::knn_distances(&flat_x, 3, 5, &Interrupt::new()).unwrap();
        assert_eq!(got, naive::neighbors::knn_distances(&x, 5));
        let (x_radii, y_radii) = (vec![6.0; n], vec![8.0; m]);
        let x_balls = Balls { centers: &flat_x, radii: &x_radii };
        let y_balls = Balls { centers: &flat_y, radii: &y_radii };
        let (of_x, of_y) = neighbors::ball_counts(x_balls, y_balls, 3, &Interrupt::new()).unwrap();
        assert_eq!((of_x.holds, of_x.held), naive::neighbors::ball_counts(&x, &x_radii, &y));
        assert_eq!((of_y.holds, of_y.held), naive::neighbors::ball_counts(&y, &y_radii, &x));
    }
}

#[test]
fn is_the_same_on_any_threads() {
    let (n, d) = (2300, 4);
    let x: Vec<f32> = (0..n * d).map(|i| (i * 7919 % 10_007) as f32 / 500.0).collect();
    let run = |threads| {
        pool::set_num_threads(threads).unwrap();
        neighbors::knn_distances(&x, d, 5, &Interrupt::new()).unwrap()
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn refuses_what_it_cannot_take() {
    let (x, interrupt) = ([0.0, 1.0, 2.0], Interrupt::new());
    let knn = |x: &[f64], k| neighbors::knn_distances(x, 1, k, &interrupt).unwrap_err();
    assert!(matches!(knn(&x, 3), Error::Domain { argument: "k", .. }));
    assert!(matches!(knn(&[0.0, f64::NAN], 1), Error::Domain { argument: "x", .. }));
    let balls = |radii: &[f64]| {
        let y = Balls { centers: &x, radii: &[] };
        neighbors::ball_counts(Balls { centers: &x, radii }, y, 1, &interrupt)
    };
    assert!(matches!(balls(&[1.0]), Err(Error::Shape { argument: "x_radii", .. })));
    assert!(matches!(balls(&[f64::NAN; 3]), Err(Error::Domain { argument: "x_radii", .. })));
    assert_eq!(balls(&[-1.0; 3]).unwrap().0.holds, [0; 3]);
    interrupt.raise();
    assert_eq!(neighbors::knn_distances(&x, 1, 1, &interrupt), Err(Error::Interrupted));
}
