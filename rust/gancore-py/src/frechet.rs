//! Binding of `gancore_kernels::frechet`.

use gancore_kernels::frechet::{self, Gaussian};
use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;

use crate::array::{float64, shape_error};
use crate::enter::enter_owned;

/// Mean and covariance.
type Pair = (Vec<f64>, Vec<f64>);

/// tr (a b)^(1/2) of positive semi-definite matrices.
#[pyfunction]
pub fn trace_sqrt_product(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<f64> {
    let (py, (own_a, d), (own_b, d_b)) = (a.py(), square("a", a)?, square("b", b)?);
    if d != d_b {
        return Err(shape_error("b", &format!("({d}, {d}), as `a` has,"), &[d_b, d_b]));
    }
    enter_owned(py, d * d * d, move |interrupt| frechet::trace_sqrt_product(&own_a, &own_b, d, interrupt))
}

/// Squared Fréchet distance of Gaussians.
#[pyfunction]
pub fn frechet_distance(
    real_mean: &Bound<'_, PyAny>,
    real_covariance: &Bound<'_, PyAny>,
    fake_mean: &Bound<'_, PyAny>,
    fake_covariance: &Bound<'_, PyAny>,
) -> PyResult<f64> {
    let py = real_mean.py();
    let (real, d) = gaussian("real", real_mean, real_covariance)?;
    let (fake, _) = gaussian("fake", fake_mean, fake_covariance)?;
    enter_owned(py, d * d * d, move |interrupt| {
        let (real, fake) = (
            Gaussian { mean: &real.0, covariance: &real.1 },
            Gaussian { mean: &fake.0, covariance: &fake.1 },
        );
        frechet::frechet_distance(real, fake, interrupt)
    })
}

fn gaussian(
    argument: &str,
    mean: &Bound<'_, PyAny>,
    covariance: &Bound<'_, PyAny>,
) -> PyResult<(Pair, usize)> {
    let mean = float64(argument, mean)?;
    let (covariance, d) = square(argument, covariance)?;
    if mean.shape() != [d] {
        return Err(shape_error(
            argument,
            &format!("a mean ({d},) for its covariance ({d}, {d})"),
            mean.shape(),
        ));
    }
    Ok(((mean.as_slice()?.to_vec(), covariance), d))
}

fn square(argument: &str, matrix: &Bound<'_, PyAny>) -> PyResult<(Vec<f64>, usize)> {
    let matrix = float64(argument, matrix)?;
    match *matrix.shape() {
        [d, columns] if d == columns && d > 0 => Ok((matrix.as_slice()?.to_vec(), d)),
        _ => Err(shape_error(argument, "(d, d)", matrix.shape())),
    }
}
