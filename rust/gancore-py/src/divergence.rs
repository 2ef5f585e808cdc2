//! Binding of `gancore_kernels::divergence`.

use gancore_kernels::Result;
use gancore_kernels::divergence::{self, Rows};
use gancore_kernels::pool::Interrupt;
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, mixed_dtypes, shape_error};
use crate::enter::enter;

type Values<'py> = PyResult<Bound<'py, PyArrayDyn<f64>>>;

/// Kullback-Leibler divergence over the last axis.
#[pyfunction]
#[pyo3(signature = (p, q, *, normalize))]
pub fn kl<'py>(p: &Bound<'py, PyAny>, q: &Bound<'py, PyAny>, normalize: bool) -> Values<'py> {
    last_axis(p, q, normalize, divergence::kl, divergence::kl)
}

/// Jensen-Shannon divergence over the last axis.
#[pyfunction]
#[pyo3(signature = (p, q, *, normalize))]
pub fn jensen_shannon<'py>(p: &Bound<'py, PyAny>, q: &Bound<'py, PyAny>, normalize: bool) -> Values<'py> {
    last_axis(p, q, normalize, divergence::jensen_shannon, divergence::jensen_shannon)
}

/// Total variation distance over the last axis.
#[pyfunction]
#[pyo3(signature = (p, q, *, normalize))]
pub fn total_variation<'py>(p: &Bound<'py, PyAny>, q: &Bound<'py, PyAny>, normalize: bool) -> Values<'py> {
    last_axis(p, q, normalize, divergence::total_variation, divergence::total_variation)
}

fn last_axis<'py>(
    p: &Bound<'py, PyAny>,
    q: &Bound<'py, PyAny>,
    normalize: bool,
    single: impl FnOnce(Rows<'_, f32>, &Interrupt) -> Result<Vec<f64>> + Send,
    double: impl FnOnce(Rows<'_, f64>, &Interrupt) -> Result<Vec<f64>> + Send,
) -> Values<'py> {
    let py = p.py();
    let (p, q) = (Reals::extract("p", p)?, Reals::extract("q", q)?);
    let Some((&width, outer)) = p.shape().split_last() else {
        return Err(shape_error("p", "(..., k)", p.shape()));
    };
    if p.shape() != q.shape() {
        return Err(shape_error("q", &format!("{:?}, as `p` has,", p.shape()), q.shape()));
    }
    let work = p.shape().iter().product();
    let values = match (&p, &q) {
        (Reals::F32(p), Reals::F32(q)) => {
            let rows = Rows { p: p.as_slice()?, q: q.as_slice()?, width, normalize };
            enter(py, work, |interrupt| single(rows, interrupt))?
        }
        (Reals::F64(p), Reals::F64(q)) => {
            let rows = Rows { p: p.as_slice()?, q: q.as_slice()?, width, normalize };
            enter(py, work, |interrupt| double(rows, interrupt))?
        }
        _ => return Err(mixed_dtypes("p", "q")),
    };
    values.into_pyarray(py).reshape(outer)
}
