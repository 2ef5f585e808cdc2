//! Binding of `gancore_kernels::langevin`.

use gancore_kernels::langevin::{self, Dynamics, GaussianMixture, Noise, Schedule};
use gancore_kernels::num::Real;
use gancore_kernels::rng::Stream;
use numpy::{Element, IntoPyArray, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::array::{disjoint, float64, outer, readonly, row_length, shape_error, typed, writable};
use crate::enter::enter;
use crate::error::ToPython;

/// Step size and temperature.
type Pace = (f64, f64);
/// Seed, step, first chain.
type Counter = (u64, u64, u64);
/// Steps, whether to test, whether to record energies.
type Plan = (u64, bool, bool);
/// Final states, accepted proposals, mean energies.
type Chains<'py> = (Bound<'py, PyAny>, u64, Bound<'py, PyAny>);
/// A mixture, from its means, standard deviations and weights.
pub struct Parts(GaussianMixture);

impl<'a, 'py> FromPyObject<'a, 'py> for Parts {
    type Error = PyErr;

    fn extract(parts: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let parts: [Bound<'py, PyAny>; 3] = parts.extract()?;
        let [means, stds, weights] =
            [float64("means", &parts[0])?, float64("stds", &parts[1])?, float64("weights", &parts[2])?];
        let &[_, dim] = means.shape() else { return Err(shape_error("means", "(k, d)", means.shape())) };
        GaussianMixture::new(means.as_slice()?, dim, stds.as_slice()?, weights.as_slice()?)
            .to_python()
            .map(Self)
    }
}

type Values<'py> = PyResult<Bound<'py, PyAny>>;

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

fn step<T: Real + Element>(
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

fn normals<T: Real + Element>(out: &Bound<'_, PyAny>, stream: u8, counter: Counter) -> PyResult<()> {
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

/// Energy of points, their coordinates on the last axis.
#[pyfunction]
#[pyo3(signature = (x, *, parts))]
pub fn mixture_energy<'py>(x: &Bound<'py, PyAny>, parts: Parts) -> Values<'py> {
    by_element_type!(x, energies(x, parts))
}

fn energies<'py, T: Real + Element>(x: &Bound<'py, PyAny>, Parts(mixture): Parts) -> Values<'py> {
    let (py, array) = (x.py(), readonly("x", typed::<T>("x", x)?)?);
    let (outer, points) = (outer("x", array.shape(), mixture.dim())?, array.as_slice()?);
    let work = points.len() * mixture.components();
    let values = enter(py, work, move |interrupt| mixture.energies(points, interrupt))?;
    Ok(values.into_pyarray(py).reshape(outer)?.into_any())
}

/// Gradient of the energy at points, their coordinates on the last axis.
#[pyfunction]
#[pyo3(signature = (x, *, parts))]
pub fn mixture_gradient<'py>(x: &Bound<'py, PyAny>, parts: Parts) -> Values<'py> {
    by_element_type!(x, gradients(x, parts))
}

fn gradients<'py, T: Real + Element>(x: &Bound<'py, PyAny>, Parts(mixture): Parts) -> Values<'py> {
    let (py, array) = (x.py(), readonly("x", typed::<T>("x", x)?)?);
    outer("x", array.shape(), mixture.dim())?;
    let points = array.as_slice()?;
    let work = points.len() * mixture.components();
    let values = enter(py, work, move |interrupt| mixture.gradients(points, interrupt))?;
    Ok(values.into_pyarray(py).reshape(array.shape())?.into_any())
}

/// Fill rows with draws from a mixture.
#[pyfunction]
#[pyo3(signature = (out, *, parts, seed))]
pub fn mixture_sample(out: &Bound<'_, PyAny>, parts: Parts, seed: u64) -> PyResult<()> {
    let (Parts(mixture), array) = (parts, typed::<f64>("out", out)?);
    outer("out", array.shape(), mixture.dim())?;
    let mut target = writable("out", array)?;
    let target = target.as_slice_mut()?;
    enter(out.py(), 8 * target.len(), move |interrupt| mixture.sample(target, seed, interrupt))
}

/// Run chains on a mixture.
#[pyfunction]
#[pyo3(signature = (initial, *, parts, pace, counter, plan))]
pub fn mixture_langevin<'py>(
    initial: &Bound<'py, PyAny>,
    parts: Parts,
    pace: Pace,
    counter: Counter,
    plan: Plan,
) -> PyResult<Chains<'py>> {
    by_element_type!(initial, chains(initial, parts, pace, counter, plan))
}

fn chains<'py, T: Real + Element>(
    initial: &Bound<'py, PyAny>,
    Parts(mixture): Parts,
    pace: Pace,
    counter: Counter,
    (steps, metropolis, record_energy): Plan,
) -> PyResult<Chains<'py>> {
    let py = initial.py();
    let array = readonly("initial", typed::<T>("initial", initial)?)?;
    outer("initial", array.shape(), mixture.dim())?;
    let mut states = array.as_slice()?.to_vec();
    let schedule =
        Schedule { dynamics: dynamics(pace), metropolis, steps, noise: noise(counter), record_energy };
    let work = states.len().saturating_mul(mixture.components()).saturating_mul(steps as usize);
    let (states, outcome) = enter(py, work, move |interrupt| {
        let outcome = mixture.langevin(&mut states, schedule, interrupt)?;
        Ok((states, outcome))
    })?;
    let states = states.into_pyarray(py).reshape(array.shape())?;
    Ok((states.into_any(), outcome.accepted, outcome.energies.into_pyarray(py).into_any()))
}

fn dynamics((step_size, temperature): Pace) -> Dynamics {
    Dynamics { step_size, temperature }
}

fn noise((seed, step, first_chain): Counter) -> Noise {
    Noise { seed, step, first_chain }
}
