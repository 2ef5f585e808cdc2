//! Nearest-neighbour distances, and how many samples lie in balls: exact, ties and duplicates included.
//!
//! ```text
//! d(x, y)  = sqrt sum_c (x_c - y_c)^2, from the differences, in float64: symmetric, and 0 for equal rows
//! radius_i = k-th smallest of d(x_i, x_j) over j != i                  Kynkäänniemi et al. 2019, section 3
//! ball i   = { y : d(x_i, y) <= radius_i }                             the same, eq. 1; Naeem et al. 2020, eq. 4: <
//! ```
//!
//! All results are those of these float64 distances, as if each had been computed. What is computed of every pair is a
//! float32 product of moved rows a, b, within e = g / (1 - g), g = (d + 32) 2^-24, of |a| |b| of the truth (Higham 2002,
//! eq. 3.5; the slack pays for the rounding of rows and thresholds), and so, as 2 |a| |b| <= |a|^2 + |b|^2, bounds
//!
//! ```text
//! (1 - e)(|a|^2 + |b|^2) - 2 a.b  <=  d^2  <=  (1 + e)(|a|^2 + |b|^2) - 2 a.b
//! ```
//!
//! Only pairs that the bounds do not settle are computed from their differences. Results are the same on any threads.

mod balls;
mod bounds;
mod nearest;

pub use balls::{Balls, Counts, ball_counts};
pub use nearest::knn_distances;
