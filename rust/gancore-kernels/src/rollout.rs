//! Roll-outs of sequence models: tokens drawn from logits, whole continuations by an LSTM, features of tokens.
//!
//! A token is drawn by inverting the distribution function of its softmax law. With weights w_v = exp(l_v / T), of the
//! k largest logits alone where `top_k` says so, and a uniform number u,
//!
//! ```text
//! token = min { v : w_0 + ... + w_v > u sum w }
//! ```
//!
//! which takes one uniform number a row; the Gumbel trick (Maddison et al. 2014) takes a logarithm a category.

mod categorical;
mod cdf;
mod lstm;
mod panel;
mod token_conv;

pub use categorical::{Draws, Law, sample_categorical};
pub use cdf::Logit;
pub use lstm::{LstmWeights, Plan, lstm_rollout};
pub use token_conv::{Filter, token_table_conv};
