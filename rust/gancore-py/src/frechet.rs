//! Binding of `gancore_kernels::frechet`.

use gancore_kernels::frechet::{self, Gaussian, Matrix, Outcome, Rows};
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, float64, mixed_dtypes, shape_error};
use crate::enter::{enter, enter_owned};

/// Value, name of the way, rank of the first matrix and of the second.
type Report = (f64, &'static str, usize, usize);

fn report(outcome: Outcome) -> Report {
    (outcome.value, outcome.way.name(), outcome.ranks[0], outcome.ranks[1])
}

/// tr (A B)^(1/2) of positive semi-definite matrices whose entries were rounded to a relative precision.
#[pyfunction]
#[pyo3(signature = (a, b, *, rounding))]
pub fn trace_sqrt_product(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>, rounding: f64) -> PyResult<Report> {
    let py = a.py();
    let ((a, d), (b, d_b)) = (square("a", a)?, square("b", b)?);
    if d != d_b {
        return Err(shape_error("b", &format!("({d}, {d}), as `a` has,"), &[d_b, d_b]));
    }
    enter_owned(py, d.saturating_pow(3), move |interrupt| {
        let (a, b) = (Matrix { argument: "a", entries: &a }, Matrix { argument: "b", entries: &b });
        frechet::trace_sqrt_product(a, b, d, rounding, interrupt)
    })
    .map(report)
}

/// A^(1/2) of a positive semi-definite matrix.
#[pyfunction]
#[pyo3(signature = (a, *, rounding))]
pub fn sqrtm_psd<'py>(a: &Bound<'py, PyAny>, rounding: f64) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let (py, (a, d)) = (a.py(), square("a", a)?);
    let root = enter_owned(py, d.saturating_pow(3), move |interrupt| {
        frechet::sqrtm_psd(Matrix { argument: "a", entries: &a }, d, rounding, interrupt)
    })?;
    root.into_pyarray(py).reshape([d, d].as_slice())
}

/// Squared Fréchet distance of Gaussians.
#[pyfunction]
#[pyo3(signature = (real_mean, real_covariance, fake_mean, fake_covariance, *, rounding))]
pub fn frechet_distance(
    real_mean: &Bound<'_, PyAny>,
    real_covariance: &Bound<'_, PyAny>,
    fake_mean: &Bound<'_, PyAny>,
    fake_covariance: &Bound<'_, PyAny>,
    rounding: f64,
) -> PyResult<Report> {
    let py = real_mean.py();
    let real = gaussian("real", real_mean, real_covariance)?;
    let fake = gaussian("fake", fake_mean, fake_covariance)?;
    let work = real.mean.len().saturating_pow(3);
    enter_owned(py, work, move |interrupt| frechet::distance(&real, &fake, rounding, interrupt)).map(report)
}

/// Squared Fréchet distance of the Gaussians that fit two sets of samples.
#[pyfunction]
pub fn frechet_distance_from_features(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
) -> PyResult<Report> {
    let (x, y) = (Reals::extract("x", x)?, Reals::extract("y", y)?);
    let [_, d] = *x.shape() else { return Err(shape_error("x", "(n, d)", x.shape())) };
    let [m, d_y] = *y.shape() else { return Err(shape_error("y", "(m, d)", y.shape())) };
    if d == 0 || d != d_y {
        return Err(shape_error("y", &format!("(m, {d}), d > 0,"), y.shape()));
    }
    let work = (x.shape()[0] + m).saturating_mul(d * d);
    let outcome = match (&x, &y) {
        (Reals::F32(x), Reals::F32(y)) => {
            let (x, y) = (rows("x", x.as_slice()?), rows("y", y.as_slice()?));
            enter(py, work, |interrupt| frechet::distance_from_features(x, y, d, interrupt))
        }
        (Reals::F64(x), Reals::F64(y)) => {
            let (x, y) = (rows("x", x.as_slice()?), rows("y", y.as_slice()?));
            enter(py, work, |interrupt| frechet::distance_from_features(x, y, d, interrupt))
        }
        _ => Err(mixed_dtypes("x", "y")),
    };
    outcome.map(report)
}

fn rows<'a, T>(argument: &'static str, features: &'a [T]) -> Rows<'a, T> {
    Rows { argument, features }
}

fn gaussian(
    argument: &'static str,
    mean: &Bound<'_, PyAny>,
    covariance: &Bound<'_, PyAny>,
) -> PyResult<Gaussian> {
    let mean = float64(argument, mean)?;
    let (covariance, d) = square(argument, covariance)?;
    if mean.shape() != [d] {
        let expected = format!("a mean ({d},) for its covariance ({d}, {d})");
        return Err(shape_error(argument, &expected, mean.shape()));
    }
    Ok(Gaussian { argument, mean: mean.as_slice()?.to_vec(), covariance })
}

fn square(argument: &str, matrix: &Bound<'_, PyAny>) -> PyResult<(Vec<f64>, usize)> {
    let matrix = float64(argument, matrix)?;
    match *matrix.shape() {
        [d, columns] if d == columns && d > 0 => Ok((matrix.as_slice()?.to_vec(), d)),
        _ => Err(shape_error(argument, "(d, d)", matrix.shape())),
    }
}
