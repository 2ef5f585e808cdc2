//! Binding of mixtures and of the chains on them.

use gancore_kernels::langevin::{GaussianMixture, Schedule};
use gancore_kernels::num::Real;
use numpy::{Element, IntoPyArray, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use super::{Counter, Pace, by_element_type, dynamics, noise};
use crate::array::{float64, outer, readonly, shape_error, typed, writable};
use crate::enter::enter;
use crate::error::ToPython;

/// Steps, whether to test, whether to record energies.
type Plan = (u64, bool, bool);
/// Final states, accepted proposals, mean energies.
type Chains<'py> = (Bound<'py, PyAny>, u64, Bound<'py, PyAny>);
/// Final states and velocities, mean energies.
type Gliders<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);
type Values<'py> = PyResult<Bound<'py, PyAny>>;

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

/// Run chains with velocities on a mixture: the states, velocities and mean energies at the end.
#[pyfunction]
#[pyo3(signature = (initial, velocity, *, parts, pace, friction, counter, plan))]
pub fn mixture_underdamped<'py>(
    initial: &Bound<'py, PyAny>,
    velocity: &Bound<'py, PyAny>,
    parts: Parts,
    pace: Pace,
    friction: f64,
    counter: Counter,
    plan: (u64, bool),
) -> PyResult<Gliders<'py>> {
    by_element_type!(initial, gliders((initial, velocity), parts, pace, friction, counter, plan))
}

fn gliders<'py, T: Real + Element>(
    (initial, velocity): (&Bound<'py, PyAny>, &Bound<'py, PyAny>),
    Parts(mixture): Parts,
    pace: Pace,
    friction: f64,
    counter: Counter,
    (steps, record_energy): (u64, bool),
) -> PyResult<Gliders<'py>> {
    let py = initial.py();
    let array = readonly("initial", typed::<T>("initial", initial)?)?;
    let speeds = readonly("velocity", typed::<T>("velocity", velocity)?)?;
    outer("initial", array.shape(), mixture.dim())?;
    let (mut states, mut velocities) = (array.as_slice()?.to_vec(), speeds.as_slice()?.to_vec());
    let (dynamics, noise) = (dynamics(pace), noise(counter));
    let schedule = Schedule { dynamics, metropolis: false, steps, noise, record_energy };
    let work = states.len().saturating_mul(mixture.components()).saturating_mul(steps as usize);
    let (states, velocities, outcome) = enter(py, work, move |interrupt| {
        let outcome = mixture.underdamped(&mut states, &mut velocities, friction, schedule, interrupt)?;
        Ok((states, velocities, outcome))
    })?;
    let states = states.into_pyarray(py).reshape(array.shape())?.into_any();
    let velocities = velocities.into_pyarray(py).reshape(array.shape())?.into_any();
    Ok((states, velocities, outcome.energies.into_pyarray(py).into_any()))
}
