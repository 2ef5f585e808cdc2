//! Roll-outs of a one-layer LSTM language model (Hochreiter and Schmidhuber 1997, with the forget gate of Gers 2000):
//!
//! ```text
//! i, f, g, o = W_ih e(y) + b_ih + W_hh h + b_hh        e(y) the embedding of the token before
//! c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(c'),  logits = W h' + b
//! ```
//!
//! States of all prefixes are computed once; the continuations of a prefix share the logits of their first token. A
//! token is drawn at the counter (seed, sequence, prefix, continuation, position), so results depend on nothing else.

use super::categorical::Law;
use super::cdf::{Cdf, exp32};
use super::panel::Panels;
use crate::error::{Error, Result};
use crate::pool::{self, Interrupt};
use crate::rng::{Address, Stream};
use crate::simd::{self, Op};

/// Rows whose logits are held at once: those of 5,000 tokens stay in the second cache.
const ROWS: usize = 8;
/// Bits of the counter's step that hold the position; the rest hold the continuation.
const POSITION_BITS: u32 = 24;

/// Parameters, row by row, with gates in the order i, f, g, o.
#[derive(Debug, Clone, Copy)]
pub struct LstmWeights<'a> {
    /// (V, E)
    pub embedding: &'a [f32],
    /// (4H, E)
    pub w_ih: &'a [f32],
    /// (4H, H)
    pub w_hh: &'a [f32],
    /// (4H,)
    pub b_ih: &'a [f32],
    /// (4H,)
    pub b_hh: &'a [f32],
    /// (V, H)
    pub head_w: &'a [f32],
    /// (V,)
    pub head_b: &'a [f32],
}

/// What is rolled out, and how.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Tokens of a sequence.
    pub length: usize,
    /// Continuations of each prefix.
    pub continuations: usize,
    /// The token before the first.
    pub start_token: i64,
    /// What is done to logits.
    pub law: Law,
    /// Key of all draws.
    pub seed: u64,
}

struct Model {
    /// W_ih e(y) + b_ih + b_hh of each token y.
    inputs: Vec<f32>,
    recurrent: Panels,
    head: Panels,
    hidden: usize,
    vocabulary: usize,
}

/// (length - 1, batch, continuations, length) tokens: each prefix of 1, ..., length - 1 tokens and its continuations.
pub fn lstm_rollout(
    weights: LstmWeights<'_>,
    tokens: &[i64],
    plan: Plan,
    interrupt: &Interrupt,
) -> Result<Vec<i64>> {
    let model = Model::new(weights)?;
    let Plan { length, continuations, .. } = plan;
    plan.law.check()?;
    if length == 0 || !tokens.len().is_multiple_of(length) || length >= 1 << POSITION_BITS {
        let got = format!("{} tokens in rows of {length}", tokens.len());
        return Err(Error::shape("tokens", "rows of 1 to 2^24 - 1 tokens", got));
    }
    if continuations == 0 || u32::try_from(continuations).is_err() {
        return Err(Error::domain("n", "be from 1 to 2^32 - 1", continuations.to_string()));
    }
    check_tokens("tokens", tokens, length, model.vocabulary)?;
    check_tokens("start_token", &[plan.start_token], 1, model.vocabulary)?;
    let (batch, states) = (tokens.len() / length, 2 * model.hidden);
    let mut prefixes = vec![0.0; batch * (length - 1) * states];
    pool::for_each_chunk_mut(&mut prefixes, (length - 1) * states, |b, prefixes| {
        interrupt.check()?;
        model.read(plan.start_token, &tokens[b * length..], prefixes);
        Ok(())
    })?;
    let mut out = vec![0; (length - 1) * batch * continuations * length];
    pool::for_each_chunk_mut(&mut out, continuations * length, |i, out| {
        let (known, b) = (i / batch + 1, i % batch);
        let state = &prefixes[(b * (length - 1) + known - 1) * states..][..states];
        for row in out.chunks_exact_mut(length) {
            row[..known].copy_from_slice(&tokens[b * length..][..known]);
        }
        model.continue_rows(out, known, state, b, plan, interrupt)
    })?;
    Ok(out)
}

/// Refuse tokens that a vocabulary lacks.
pub(super) fn check_tokens(
    argument: &'static str,
    tokens: &[i64],
    length: usize,
    vocabulary: usize,
) -> Result<()> {
    match tokens.iter().position(|&token| usize::try_from(token).map_or(true, |token| token >= vocabulary)) {
        Some(at) => {
            let expected = format!("be at least 0 and below {vocabulary}, the size of the vocabulary");
            let got = format!("{} in row {}, index {}", tokens[at], at / length, at % length);
            Err(Error::domain(argument, expected, got))
        }
        None => Ok(()),
    }
}

/// Refuse parameters that are nan or infinite.
pub(super) fn check_finite(argument: &'static str, values: &[f32]) -> Result<()> {
    match values.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(Error::domain(argument, "be finite", format!("{} at flat index {at}", values[at]))),
        None => Ok(()),
    }
}

impl Model {
    fn new(w: LstmWeights<'_>) -> Result<Self> {
        let (gates, vocabulary) = (w.b_ih.len(), w.head_b.len());
        let (hidden, width) = (gates / 4, w.embedding.len() / vocabulary.max(1));
        if hidden == 0 || width == 0 {
            return Err(Error::shape(
                "weights",
                "at least one token, feature and unit",
                "none of one of them",
            ));
        }
        for (argument, values, expected) in [
            ("embedding", w.embedding, vocabulary * width),
            ("w_ih", w.w_ih, 4 * hidden * width),
            ("w_hh", w.w_hh, 4 * hidden * hidden),
            ("b_ih", w.b_ih, 4 * hidden),
            ("b_hh", w.b_hh, 4 * hidden),
            ("head_w", w.head_w, vocabulary * hidden),
            ("head_b", w.head_b, vocabulary),
        ] {
            if values.len() != expected {
                let got = format!("{} numbers", values.len());
                return Err(Error::shape(argument, format!("{expected} numbers"), got));
            }
            check_finite(argument, values)?;
        }
        let bias: Vec<f32> = w.b_ih.iter().zip(w.b_hh).map(|(a, b)| a + b).collect();
        let table = Panels::pack(w.w_ih, width, &bias);
        let mut inputs = vec![0.0; vocabulary * table.stride()];
        table.product(w.embedding, &mut inputs);
        Ok(Self {
            inputs,
            recurrent: Panels::pack(w.w_hh, hidden, &vec![0.0; gates]),
            head: Panels::pack(w.head_w, hidden, w.head_b),
            hidden,
            vocabulary,
        })
    }

    /// The states (h, c) after each prefix of 1, 2, ... tokens.
    fn read(&self, start: i64, tokens: &[i64], prefixes: &mut [f32]) {
        let (mut h, mut c) = (vec![0.0; self.hidden], vec![0.0; self.hidden]);
        self.step(&[start], &mut h, &mut c);
        for (state, &token) in prefixes.chunks_exact_mut(2 * self.hidden).zip(tokens) {
            self.step(&[token], &mut h, &mut c);
            state[..self.hidden].copy_from_slice(&h);
            state[self.hidden..].copy_from_slice(&c);
        }
    }

    /// One step of rows, given the tokens that they read.
    fn step(&self, tokens: &[i64], h: &mut [f32], c: &mut [f32]) {
        let stride = self.recurrent.stride();
        let mut gates = vec![0.0; tokens.len() * stride];
        self.recurrent.product(h, &mut gates);
        for (((gates, &token), h), c) in gates
            .chunks_exact(stride)
            .zip(tokens)
            .zip(h.chunks_exact_mut(self.hidden))
            .zip(c.chunks_exact_mut(self.hidden))
        {
            let inputs = &self.inputs[token as usize * stride..][..stride];
            simd::dispatch(Cell { gates, inputs, h, c });
        }
    }

    /// Fill rows from position `known` on.
    fn continue_rows(
        &self,
        out: &mut [i64],
        known: usize,
        state: &[f32],
        sequence: usize,
        plan: Plan,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let (n, stride) = (plan.continuations, self.head.stride());
        let mut sampler = Sampler { cdf: Cdf::new(self.vocabulary), scratch: Vec::new(), law: plan.law };
        let draw = |continuation: usize, position: usize| {
            let step = position as u64 | ((continuation as u64) << POSITION_BITS);
            Address { seed: plan.seed, stream: Stream::Token, step }
                .fine_uniform(known as u32, sequence as u32)
        };
        let mut logits = vec![0.0; ROWS.min(n) * stride];
        let (mut h, mut c) = (state[..self.hidden].repeat(n), state[self.hidden..].repeat(n));
        self.head.product(&h[..self.hidden], &mut logits[..stride]);
        let first = (0..n).map(|r| draw(r, known));
        let mut tokens = sampler.draw(&logits[..self.vocabulary], first)?;
        for position in known..plan.length {
            interrupt.check()?;
            for (row, &token) in out.chunks_exact_mut(plan.length).zip(&tokens) {
                row[position] = token;
            }
            if position + 1 == plan.length {
                break;
            }
            self.step(&tokens, &mut h, &mut c);
            for (group, h) in h.chunks(ROWS * self.hidden).enumerate() {
                self.head.product(h, &mut logits);
                for (r, row) in logits.chunks_exact(stride).take(h.len() / self.hidden).enumerate() {
                    let r = group * ROWS + r;
                    let drawn =
                        sampler.draw(&row[..self.vocabulary], std::iter::once(draw(r, position + 1)))?;
                    tokens[r] = drawn[0];
                }
            }
        }
        Ok(())
    }
}

struct Sampler {
    cdf: Cdf<f32>,
    scratch: Vec<f32>,
    law: Law,
}

impl Sampler {
    fn draw(&mut self, row: &[f32], uniforms: impl Iterator<Item = f64>) -> Result<Vec<i64>> {
        let lens = self.law.lens(row, &mut self.scratch);
        self.cdf.survey(row, lens).map_err(|_| {
            Error::domain("head_w", "give logits that float32 can hold", "an overflow to inf or nan")
        })?;
        Ok(uniforms.map(|uniform| self.cdf.draw(row, lens, uniform) as i64).collect())
    }
}

struct Cell<'a> {
    gates: &'a [f32],
    inputs: &'a [f32],
    h: &'a mut [f32],
    c: &'a mut [f32],
}

impl Op for Cell<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let n = self.h.len();
        let gate = |which: usize| self.gates[which * n..][..n].iter().zip(&self.inputs[which * n..][..n]);
        let gates = gate(0).zip(gate(1)).zip(gate(2)).zip(gate(3));
        for (((((i, f), g), o), h), c) in gates.zip(self.h).zip(self.c) {
            *c = sigmoid(f.0 + f.1) * *c + sigmoid(i.0 + i.1) * tanh(g.0 + g.1);
            *h = sigmoid(o.0 + o.1) * tanh(*c);
        }
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    let e = exp32(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    let e = exp32(-2.0 * x.abs());
    ((1.0 - e) / (1.0 + e)).copysign(x)
}
