//! Numeric kernels for adversarial and energy-based models: pure Rust, slices and shapes in, [`Result`] out.
//!
//! | kernel | what | cost |
//! |---|---|---|
//! | [`divergence`] | f-divergences, Renyi and alpha divergences, entropies of rows of distributions | O(rows k) |
//! | [`wasserstein`] | exact W_p of samples on the line | O(n log n) |
//! | [`moments`] | streaming mean and covariance | O(n d^2), memory O(d^2) |
//! | [`frechet`] | tr (AB)^(1/2) of PSD matrices, Fréchet distance of Gaussians | O(d^3) |
//! | [`parzen`] | log-likelihood under Gaussian Parzen windows | O(n m d) |
//! | [`langevin`] | Langevin steps and whole chains on Gaussian mixtures | O(chains dim) a step |
//!
//! Shared ground: [`error`], [`pool`] (threads), [`simd`] (instruction sets), [`rng`] (counter-based randomness),
//! [`num`] (sums and elementary functions), [`linalg`] (the one file that knows faer).

pub mod divergence;
pub mod error;
pub mod frechet;
pub mod langevin;
pub mod linalg;
pub mod moments;
pub mod num;
pub mod parzen;
pub mod pool;
pub mod rng;
pub mod simd;
pub mod wasserstein;

pub use error::{Error, Result};
