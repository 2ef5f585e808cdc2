//! Binding of `gancore_kernels::langevin`.

use gancore_kernels::langevin::{self, Dynamics, GaussianMixture, Noise, Schedule};
use gancore_kernels::num::Real;
use gancore_kernels::rng::Stream;
use numpy::{Element, IntoPyArray, PyArray1, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, ShapeError, dtype_error, float64, readonly, shape_error, writable};
use crate::enter::enter;
use crate::error::ToPython;

/// Step size and temperature.
type Pace = (f64, f64);
/// Seed, step, first chain.
type Draws = (u64, u64, u64);
/// Means, standard deviations, weights.
type Parts<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

fn dynamics((step_size, temperature): Pace) -> Dynamics {
    Dynamics { step_size, temperature }
}

fn noise((seed, step, first_chain): Draws) -> Noise {
    Noise { seed, step, first_chain }
}

fn mixture((means, stds, weights): &Parts<'_>) -> PyResult<GaussianMixture> {
    let (means, stds, weights) =
        (float64("means", means)?, float64("stds", stds)?, float64("weights", weights)?);
    let [_, dim] = *means.shape() else { return Err(shape_error("means", "(k, d)", means.shape())) };
    GaussianMixture::new(means.as_slice()?, dim, stds.as_slice()?, weights.as_slice()?).to_python()
}
