//! Tokens drawn from rows of logits.

use super::cdf::{Cdf, Fault, Lens, Logit};
use crate::error::{Error, Result};
use crate::pool::{self, Interrupt};
use crate::rng::{Address, Stream};

/// Logits that one task works through.
const TASK: usize = 1 << 16;

/// What is done to logits before they are drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// T in exp(l / T).
    pub temperature: f64,
    /// How many of the largest logits take part; ties with the least of them do too. All without.
    pub top_k: Option<usize>,
}

impl Law {
    /// Refuse settings that say no law.
    pub fn check(&self) -> Result<()> {
        if !(self.temperature > 0.0 && self.temperature.is_finite()) {
            return Err(Error::domain("temperature", "be finite and above 0", self.temperature.to_string()));
        }
        if self.top_k == Some(0) {
            return Err(Error::domain("top_k", "be at least 1", "0"));
        }
        Ok(())
    }

    /// What a row is seen through; `scratch` is overwritten.
    pub(super) fn lens<T: Logit>(&self, row: &[T], scratch: &mut Vec<T>) -> Lens<T> {
        // A pace that float32 cannot hold would turn the largest logit's 0 into nan.
        let pace = (1.0 / self.temperature).min(f64::from(f32::MAX));
        let least = match self.top_k {
            Some(k) if (1..row.len()).contains(&k) => {
                scratch.clear();
                scratch.extend_from_slice(row);
                *scratch.select_nth_unstable_by(k - 1, |a, b| b.compare(a)).1
            }
            _ => T::NEVER,
        };
        Lens { pace, least }
    }
}

/// Where uniform numbers come from.
#[derive(Debug, Clone, Copy)]
pub enum Draws<'a> {
    /// Philox, addressed by (seed, step, row).
    Counter {
        /// The key.
        seed: u64,
        /// Step; 56 bits are used.
        step: u64,
        /// Number of the first row; the low 32 bits are used.
        first_row: u64,
    },
    /// One number in [0, 1) a row.
    Given(&'a [f64]),
}

impl Draws<'_> {
    fn of(&self, row: usize) -> f64 {
        match *self {
            Self::Counter { seed, step, first_row } => {
                let lane = first_row.wrapping_add(row as u64) as u32;
                Address { seed, stream: Stream::Token, step }.fine_uniform(0, lane)
            }
            Self::Given(uniforms) => uniforms[row],
        }
    }

    fn check(&self, rows: usize) -> Result<()> {
        let Self::Given(uniforms) = self else { return Ok(()) };
        if uniforms.len() != rows {
            let expected = format!("{rows} numbers, one for each row of `logits`");
            return Err(Error::shape("uniforms", expected, format!("{} numbers", uniforms.len())));
        }
        match uniforms.iter().position(|u| !(0.0..1.0).contains(u)) {
            Some(row) => Err(Error::domain(
                "uniforms",
                "be at least 0 and below 1",
                format!("{} in row {row}", uniforms[row]),
            )),
            None => Ok(()),
        }
    }
}

/// One token for each row of `vocabulary` logits.
pub fn sample_categorical<T: Logit>(
    logits: &[T],
    vocabulary: usize,
    law: Law,
    draws: Draws<'_>,
    interrupt: &Interrupt,
) -> Result<Vec<i64>> {
    law.check()?;
    if vocabulary == 0 || !logits.len().is_multiple_of(vocabulary) {
        return Err(Error::shape(
            "logits",
            "rows of at least one logit",
            format!("{} numbers in rows of {vocabulary}", logits.len()),
        ));
    }
    let mut tokens = vec![0; logits.len() / vocabulary];
    draws.check(tokens.len())?;
    let chunk = (TASK / vocabulary).max(1);
    pool::for_each_chunk_mut(&mut tokens, chunk, |i, tokens| {
        interrupt.check()?;
        let (mut cdf, mut scratch, first) = (Cdf::new(vocabulary), Vec::new(), i * chunk);
        let rows = logits.chunks_exact(vocabulary).enumerate().skip(first);
        for (token, (number, row)) in tokens.iter_mut().zip(rows) {
            let lens = law.lens(row, &mut scratch);
            cdf.survey(row, lens).map_err(|fault| refusal(fault, row, number))?;
            *token = cdf.draw(row, lens, draws.of(number)) as i64;
        }
        Ok(())
    })?;
    Ok(tokens)
}

fn refusal<T: Logit>(fault: Fault, row: &[T], number: usize) -> Error {
    let find = |strange: fn(f64) -> bool| row.iter().position(|&x| strange(x.into())).unwrap_or(0);
    let got = match fault {
        Fault::Nan => format!("nan in row {number}, index {}", find(f64::is_nan)),
        Fault::Infinite => format!("inf in row {number}, index {}", find(|x| x == f64::INFINITY)),
        Fault::Empty => format!("only -inf in row {number}"),
    };
    Error::domain("logits", "be finite or -inf, and not all -inf", got)
}
