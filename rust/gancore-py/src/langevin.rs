//! Binding of `gancore_kernels::langevin`.

mod mixture;
mod mlp;

pub use mixture::{mixture_energy, mixture_gradient, mixture_langevin, mixture_sample, mixture_underdamped};
pub use mlp::{mlp_langevin, mlp_value_and_grad};

use gancore_kernels::langevin::{self, Dynamics, Noise, State};
use gancore_kernels::rng::Stream;
use numpy::{Element, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::array::{disjoint, readonly, row_length, shape_error, typed, writable};
use crate::enter::enter;
use crate::error::ToPython;

/// Step size and temperature.
type Pace = (f64, f64);
/// Seed, step, first chain.
type Counter = (u64, u64, u64);

/// Call a generic function for the element type of an array, float64 unless it is float32.
macro_rules! by_element_type {
    ($array:expr, $function:ident($($argument:expr),*)) => {
        if $array.cast::<PyArrayDyn<f32>>().is_ok() {
            $function::<f32>($($argument),*)
        } else {
            $function::<f64>($($argument),*)
        }
    };
}

use by_element_type;

/// One step of chains, the rows of `z`, into `out`, which may be `z`.
#[pyfunction]
#[pyo3(signature = (z, grad, out, *, pace, counter))]
pub fn langevin_step(
    z: &Bound<'_, PyAny>,
    grad: &Bound<'_, PyAny>,
    out: &Bound<'_, PyAny>,
    pace: Pace,
    counter: Counter,
) -> PyResult<()> {
    by_element_type!(z, step(z, grad, out, pace, counter))
}

fn step<T: State + Element>(
    z: &Bound<'_, PyAny>,
    grad: &Bound<'_, PyAny>,
    out: &Bound<'_, PyAny>,
    pace: Pace,
    counter: Counter,
) -> PyResult<()> {
    let (z, grad, out) = (typed::<T>("z", z)?, typed::<T>("grad", grad)?, typed::<T>("out", out)?);
    for (argument, array) in [("grad", grad), ("out", out)] {
        if array.shape() != z.shape() {
            return Err(shape_error(argument, &format!("{:?}, as `z` has,", z.shape()), array.shape()));
        }
    }
    let in_place = z.data() == out.data();
    if !in_place {
        disjoint("z", z, out)?;
    }
    disjoint("grad", grad, out)?;
    let mut target = writable("out", out)?;
    let grad = readonly("grad", grad)?;
    let z = if in_place { None } else { Some(readonly("z", z)?) };
    let z = z.as_ref().map(|z| z.as_slice()).transpose()?;
    let (dim, target, grad) = (row_length("z", out.shape())?, target.as_slice_mut()?, grad.as_slice()?);
    enter(out.py(), 8 * target.len(), |interrupt| {
        langevin::step(target, z, grad, dim, dynamics(pace), noise(counter), interrupt)
    })
}

/// Fill an array, whose rows are chains, with standard normals.
#[pyfunction]
#[pyo3(signature = (out, *, stream, counter))]
pub fn philox_normal(out: &Bound<'_, PyAny>, stream: u8, counter: Counter) -> PyResult<()> {
    by_element_type!(out, normals(out, stream, counter))
}

fn normals<T: State + Element>(out: &Bound<'_, PyAny>, stream: u8, counter: Counter) -> PyResult<()> {
    let (py, stream, out) = (out.py(), Stream::from_number(stream).to_python()?, typed::<T>("out", out)?);
    let dim = row_length("out", out.shape())?;
    let mut target = writable("out", out)?;
    let target = target.as_slice_mut()?;
    enter(py, 8 * target.len(), |interrupt| langevin::normals(target, dim, stream, noise(counter), interrupt))
}

/// Fill an array with uniform numbers in (0, 1), one a chain.
#[pyfunction]
#[pyo3(signature = (out, *, stream, counter))]
pub fn philox_uniform(out: &Bound<'_, PyAny>, stream: u8, counter: Counter) -> PyResult<()> {
    let (py, stream) = (out.py(), Stream::from_number(stream).to_python()?);
    let mut target = writable("out", typed("out", out)?)?;
    let target = target.as_slice_mut()?;
    enter(py, 8 * target.len(), |interrupt| langevin::uniforms(target, stream, noise(counter), interrupt))
}

fn dynamics((step_size, temperature): Pace) -> Dynamics {
    Dynamics { step_size, temperature }
}

fn noise((seed, step, first_chain): Counter) -> Noise {
    Noise { seed, step, first_chain }
}
