//! Binding of `gancore_kernels::parzen`.

use gancore_kernels::parzen::{self, Matrix};
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, mixed_dtypes, shape_error};
use crate::enter::enter;

/// Log-likelihood of each point under windows around the samples, for each bandwidth.
#[pyfunction]
#[pyo3(signature = (samples, points, *, bandwidths))]
#[expect(clippy::needless_pass_by_value, reason = "what Python gives arrives as a vector")]
pub fn parzen_log_likelihood<'py>(
    samples: &Bound<'py, PyAny>,
    points: &Bound<'py, PyAny>,
    bandwidths: Vec<f64>,
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let py = samples.py();
    let (samples, points) = (Reals::extract("samples", samples)?, Reals::extract("points", points)?);
    let ([n, dim], [m, other]) = (matrix("samples", &samples)?, matrix("points", &points)?);
    let (many, work) = (bandwidths.len(), n.saturating_mul(m).saturating_mul(dim + 10));
    let values = match (&samples, &points) {
        (Reals::F32(samples), Reals::F32(points)) => {
            let samples = Matrix { values: samples.as_slice()?, dim };
            let points = Matrix { values: points.as_slice()?, dim: other };
            enter(py, work, |interrupt| parzen::log_likelihood(samples, points, &bandwidths, interrupt))?
        }
        (Reals::F64(samples), Reals::F64(points)) => {
            let samples = Matrix { values: samples.as_slice()?, dim };
            let points = Matrix { values: points.as_slice()?, dim: other };
            enter(py, work, |interrupt| parzen::log_likelihood(samples, points, &bandwidths, interrupt))?
        }
        _ => return Err(mixed_dtypes("samples", "points")),
    };
    values.into_pyarray(py).reshape(vec![many, m])
}

fn matrix(argument: &str, array: &Reals<'_>) -> PyResult<[usize; 2]> {
    match *array.shape() {
        [rows, columns] => Ok([rows, columns]),
        _ => Err(shape_error(argument, "(n, d)", array.shape())),
    }
}
