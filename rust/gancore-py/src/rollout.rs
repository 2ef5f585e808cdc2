//! Binding of `gancore_kernels::rollout`.

use gancore_kernels::rollout::{self, Draws, Law};
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, float64, shape_error};
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

fn law_of((temperature, top_k): (f64, Option<usize>)) -> Law {
    Law { temperature, top_k }
}
