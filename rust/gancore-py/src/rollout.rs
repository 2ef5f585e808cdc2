//! Binding of `gancore_kernels::rollout`.

use gancore_kernels::rollout::{self, Draws, Filter, Law, LstmWeights, Plan};
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, float64, readonly, shape_error, typed};
use crate::enter::enter;

/// Seed, step, first row.
type Counter = (u64, u64, u64);
type Tokens<'py> = PyResult<Bound<'py, PyArrayDyn<i64>>>;

/// A token for each row of logits on the last axis.
#[pyfunction]
#[pyo3(signature = (logits, uniforms=None, *, law, counter))]
pub fn sample_categorical<'py>(
    logits: &Bound<'py, PyAny>,
    uniforms: Option<&Bound<'py, PyAny>>,
    law: (f64, Option<usize>),
    counter: Counter,
) -> Tokens<'py> {
    let (py, logits, law) = (logits.py(), Reals::extract("logits", logits)?, law_of(law));
    let Some((&vocabulary, outer)) = logits.shape().split_last() else {
        return Err(shape_error("logits", "(..., V)", logits.shape()));
    };
    let uniforms = uniforms.map(|uniforms| float64("uniforms", uniforms)).transpose()?;
    let draws = match &uniforms {
        Some(uniforms) => Draws::Given(uniforms.as_slice()?),
        None => Draws::Counter { seed: counter.0, step: counter.1, first_row: counter.2 },
    };
    let work = logits.shape().iter().product();
    let tokens = match &logits {
        Reals::F32(logits) => {
            let logits = logits.as_slice()?;
            enter(py, work, |interrupt| {
                rollout::sample_categorical(logits, vocabulary, law, draws, interrupt)
            })?
        }
        Reals::F64(logits) => {
            let logits = logits.as_slice()?;
            enter(py, work, |interrupt| {
                rollout::sample_categorical(logits, vocabulary, law, draws, interrupt)
            })?
        }
    };
    tokens.into_pyarray(py).reshape(outer)
}

/// Continuations (length - 1, batch, n, length) of the prefixes of token rows, by an LSTM.
#[pyfunction]
#[pyo3(signature = (weights, tokens, *, law, plan))]
#[expect(clippy::needless_pass_by_value, reason = "what Python gives arrives as an array")]
pub fn lstm_rollout<'py>(
    weights: [Bound<'py, PyAny>; 7],
    tokens: &Bound<'py, PyAny>,
    law: (f64, Option<usize>),
    plan: (usize, i64, u64),
) -> Tokens<'py> {
    let (py, names) = (tokens.py(), ["embedding", "w_ih", "w_hh", "b_ih", "b_hh", "head_w", "head_b"]);
    let mut arrays = Vec::with_capacity(names.len());
    for (name, array) in names.iter().zip(&weights) {
        arrays.push(float32(name, array)?);
    }
    let mut slices = Vec::with_capacity(arrays.len());
    for array in &arrays {
        slices.push(array.as_slice()?);
    }
    let [embedding, w_ih, w_hh, b_ih, b_hh, head_w, head_b] = slices[..] else {
        return Err(shape_error("weights", "(7,)", &[slices.len()]));
    };
    let weights = LstmWeights { embedding, w_ih, w_hh, b_ih, b_hh, head_w, head_b };
    let tokens = readonly("tokens", typed::<i64>("tokens", tokens)?)?;
    let &[batch, length] = tokens.shape() else {
        return Err(shape_error("tokens", "(batch, length)", tokens.shape()));
    };
    let (continuations, start_token, seed) = plan;
    let plan = Plan { length, continuations, start_token, law: law_of(law), seed };
    let tokens = tokens.as_slice()?;
    // At least a product with the head for each token of each row.
    let work = tokens.len().saturating_mul(continuations).saturating_mul(head_w.len());
    let rows = enter(py, work, |interrupt| rollout::lstm_rollout(weights, tokens, plan, interrupt))?;
    rows.into_pyarray(py).reshape(vec![length.saturating_sub(1), batch, continuations, length])
}

/// Convolutions over embedded tokens, rectified and pooled over time.
#[pyfunction]
#[pyo3(signature = (embedding, filters, tokens))]
#[expect(clippy::needless_pass_by_value, reason = "what Python gives arrives as a vector")]
pub fn token_table_conv<'py>(
    embedding: &Bound<'py, PyAny>,
    filters: Vec<(usize, Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    tokens: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    let (py, embedding) = (tokens.py(), float32("embedding", embedding)?);
    let tokens = readonly("tokens", typed::<i64>("tokens", tokens)?)?;
    let (&[vocabulary, _], &[rows, length]) = (embedding.shape(), tokens.shape()) else {
        return Err(shape_error("tokens", "(rows, length), and `embedding` (V, E),", tokens.shape()));
    };
    let mut arrays = Vec::with_capacity(filters.len());
    for (width, weight, bias) in &filters {
        arrays.push((*width, float32("filters", weight)?, float32("filters", bias)?));
    }
    let mut parts = Vec::with_capacity(arrays.len());
    for (width, weight, bias) in &arrays {
        parts.push(Filter { width: *width, weight: weight.as_slice()?, bias: bias.as_slice()? });
    }
    let maps: usize = parts.iter().map(|filter| filter.bias.len()).sum();
    let (table, tokens) = (embedding.as_slice()?, tokens.as_slice()?);
    let work = tokens.len().saturating_mul(maps).saturating_mul(8);
    let values = enter(py, work, |interrupt| {
        rollout::token_table_conv(table, vocabulary, &parts, tokens, length, interrupt)
    })?;
    values.into_pyarray(py).reshape(vec![rows, maps])
}

fn float32<'py>(argument: &str, array: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    readonly(argument, typed(argument, array)?)
}

fn law_of((temperature, top_k): (f64, Option<usize>)) -> Law {
    Law { temperature, top_k }
}
