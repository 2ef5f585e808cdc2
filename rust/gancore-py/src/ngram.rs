//! Binding of `gancore_kernels::ngram`.

use gancore_kernels::ngram::{self, Sentences};
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;

use crate::array::{readonly, typed};
use crate::enter::enter;

type Integers<'py> = Bound<'py, PyArrayDyn<i64>>;

/// Clipped matches (hypotheses, n) and the closest length of a reference of each hypothesis.
#[pyfunction]
#[pyo3(signature = (tokens, lengths, reference_tokens=None, reference_lengths=None, *, n))]
pub fn ngram_tally<'py>(
    tokens: &Bound<'py, PyAny>,
    lengths: &Bound<'py, PyAny>,
    reference_tokens: Option<&Bound<'py, PyAny>>,
    reference_lengths: Option<&Bound<'py, PyAny>>,
    n: usize,
) -> PyResult<(Integers<'py>, Integers<'py>)> {
    let py = tokens.py();
    let (tokens, lengths) = (
        readonly("hypotheses", typed("hypotheses", tokens)?)?,
        readonly("lengths", typed("lengths", lengths)?)?,
    );
    let hypotheses = Sentences { tokens: tokens.as_slice()?, lengths: lengths.as_slice()? };
    let given = match (reference_tokens, reference_lengths) {
        (Some(tokens), Some(lengths)) => Some((
            readonly("references", typed("references", tokens)?)?,
            readonly("reference_lengths", typed("reference_lengths", lengths)?)?,
        )),
        _ => None,
    };
    let references = match &given {
        Some((tokens, lengths)) => {
            Some(Sentences { tokens: tokens.as_slice()?, lengths: lengths.as_slice()? })
        }
        None => None,
    };
    let all = hypotheses.tokens.len() + references.map_or(0, |references| references.tokens.len());
    let work = all.saturating_mul(50).saturating_mul(n);
    let tally = enter(py, work, |interrupt| ngram::tally(hypotheses, references, n, interrupt))?;
    let matches = tally.matches.into_pyarray(py).reshape(vec![hypotheses.lengths.len(), n])?;
    Ok((matches, tally.closest.into_pyarray(py).to_dyn().clone()))
}

/// How often each distinct n-gram occurs.
#[pyfunction]
#[pyo3(signature = (tokens, lengths, *, n))]
pub fn ngram_counts<'py>(
    tokens: &Bound<'py, PyAny>,
    lengths: &Bound<'py, PyAny>,
    n: usize,
) -> PyResult<Integers<'py>> {
    let py = tokens.py();
    let (tokens, lengths) = (
        readonly("sentences", typed("sentences", tokens)?)?,
        readonly("lengths", typed("lengths", lengths)?)?,
    );
    let sentences = Sentences { tokens: tokens.as_slice()?, lengths: lengths.as_slice()? };
    let work = sentences.tokens.len().saturating_mul(50).saturating_mul(n);
    let counts = enter(py, work, |interrupt| ngram::counts(sentences, n, interrupt))?;
    Ok(counts.into_pyarray(py).to_dyn().clone())
}
