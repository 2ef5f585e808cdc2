//! Binding of `gancore_kernels::diagnostics`.

use gancore_kernels::diagnostics::{self, Draws};
use gancore_kernels::error::Result;
use gancore_kernels::num::Real;
use gancore_kernels::pool::Interrupt;
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, shape_error};
use crate::enter::enter;

type Values<'py> = PyResult<Bound<'py, PyArrayDyn<f64>>>;

/// Split R-hat of draws (chains, steps, ...).
#[pyfunction]
pub fn r_hat<'py>(draws: &Bound<'py, PyAny>) -> Values<'py> {
    diagnose(draws, diagnostics::r_hat, diagnostics::r_hat)
}

/// Effective sample size of draws (chains, steps, ...).
#[pyfunction]
pub fn effective_sample_size<'py>(draws: &Bound<'py, PyAny>) -> Values<'py> {
    diagnose(draws, diagnostics::effective_sample_size, diagnostics::effective_sample_size)
}

/// Nested R-hat of draws (chains, steps, ...) in groups of consecutive chains.
#[pyfunction]
#[pyo3(signature = (draws, *, superchains))]
pub fn nested_r_hat<'py>(draws: &Bound<'py, PyAny>, superchains: usize) -> Values<'py> {
    diagnose(
        draws,
        |draws, interrupt| diagnostics::nested_r_hat(draws, superchains, interrupt),
        |draws, interrupt| diagnostics::nested_r_hat(draws, superchains, interrupt),
    )
}

fn diagnose<'py>(
    draws: &Bound<'py, PyAny>,
    single: impl FnOnce(Draws<'_, f32>, &Interrupt) -> Result<Vec<f64>> + Send,
    double: impl FnOnce(Draws<'_, f64>, &Interrupt) -> Result<Vec<f64>> + Send,
) -> Values<'py> {
    let (py, draws) = (draws.py(), Reals::extract("draws", draws)?);
    let [chains, steps, rest @ ..] = draws.shape() else {
        return Err(shape_error("draws", "(chains, steps, ...)", draws.shape()));
    };
    let shape = (*chains, *steps, rest.iter().product());
    let values = match &draws {
        Reals::F32(draws) => run(py, draws.as_slice()?, shape, single)?,
        Reals::F64(draws) => run(py, draws.as_slice()?, shape, double)?,
    };
    values.into_pyarray(py).reshape(rest)
}

fn run<T: Real>(
    py: Python<'_>,
    values: &[T],
    (chains, steps, dims): (usize, usize, usize),
    diagnostic: impl FnOnce(Draws<'_, T>, &Interrupt) -> Result<Vec<f64>> + Send,
) -> PyResult<Vec<f64>> {
    let draws = Draws { values, chains, steps, dims };
    enter(py, values.len().saturating_mul(16), |interrupt| diagnostic(draws, interrupt))
}
