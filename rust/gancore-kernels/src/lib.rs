//! Numeric kernels for adversarial and energy-based models: pure Rust, slices and shapes in, [`Result`] out.
//!
//! | kernel | what | cost |
//! |---|---|---|
//! | [`divergence`] | f-divergences, Rényi and alpha divergences, entropies of rows of distributions | O(rows k) |
//! | [`wasserstein`] | exact W_p on the line and circle, couplings, sliced, energy and Cramér distances | O(n log n) |
//! | [`emd`] | exact transport between discrete measures, with its certificate | about O((n + m) n m) |
//! | [`moments`] | streaming mean and covariance | O(n d^2), memory O(d^2) |
//! | [`frechet`] | tr (AB)^(1/2) of PSD matrices, Fréchet distance of Gaussians | O(d^3) |
//! | [`mmd`] | maximum mean discrepancy with its standard error, and over subsets | O((n + m)^2 d), memory O((n + m) d) |
//! | [`neighbors`] | nearest-neighbour distances and counts in balls, exact at ties | O(n m d), memory O(block d) |
//! | [`parzen`] | log-likelihood under Gaussian Parzen windows | O(n m d) |
//! | [`rollout`] | tokens drawn from logits, continuations by an LSTM, convolutions of tokens | O(rows V) a token |
//! | [`ngram`] | clipped matches of n-grams, in other sentences too, and their counts | O(tokens n) |
//! | [`langevin`] | Langevin steps and whole chains on Gaussian mixtures | O(chains dim) a step |
//!
//! Shared ground: [`error`], [`pool`] (threads), [`simd`] (instruction sets), [`rng`] (counter-based randomness),
//! [`num`] (sums and elementary functions), [`linalg`] (the one file that knows faer).

pub mod divergence;
pub mod emd;
pub mod error;
pub mod frechet;
pub mod langevin;
pub mod linalg;
pub mod mmd;
pub mod moments;
pub mod neighbors;
pub mod ngram;
pub mod num;
pub mod parzen;
pub mod pool;
pub mod rng;
pub mod rollout;
pub mod simd;
pub mod wasserstein;

pub use error::{Error, Result};
