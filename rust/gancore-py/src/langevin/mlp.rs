//! Binding of the energy of generator-critic pairs.

use gancore_kernels::langevin::{Activation, Course, Layer, MlpEnergy, Prior};
use gancore_kernels::{Error, Result};
use numpy::{IntoPyArray, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

use super::{Counter, Pace, dynamics, noise};
use crate::array::{outer, readonly, shape_error, typed};
use crate::enter::enter;
use crate::error::ToPython;

/// Energies, gradients.
type Slopes<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);
/// Final states, energies by step, accepted steps, where chains stopped.
type Chains<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, f64, Bound<'py, PyAny>);
/// Weights, bias, activation with its number.
type LayerParts<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, (String, f32));

/// A pair, from its layers, prior, scale and shift.
pub struct Pair(MlpEnergy);

impl<'a, 'py> FromPyObject<'a, 'py> for Pair {
    type Error = PyErr;

    fn extract(parts: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let (layers, prior, scale, shift): (Vec<LayerParts<'py>>, String, f64, f64) = parts.extract()?;
        let mut arrays = Vec::with_capacity(layers.len());
        for (weights, bias, (name, number)) in &layers {
            let (weights, bias) = (float32(weights)?, float32(bias)?);
            if weights.shape().len() != 2 || bias.shape() != &weights.shape()[..1] {
                return Err(shape_error("layers", "(outputs, inputs) and (outputs,)", weights.shape()));
            }
            arrays.push((weights, bias, activation(name, *number).to_python()?));
        }
        let layers = arrays
            .iter()
            .map(|(weights, bias, activation)| {
                Ok(Layer { weights: weights.as_slice()?, bias: bias.as_slice()?, activation: *activation })
            })
            .collect::<PyResult<Vec<_>>>()?;
        let pair = prior_of(&prior).and_then(|prior| MlpEnergy::new(&layers, prior, scale, shift));
        pair.to_python().map(Self)
    }
}

fn float32<'py>(array: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    readonly("layers", typed::<f32>("layers", array)?)
}

fn activation(name: &str, number: f32) -> Result<Activation> {
    match name {
        "identity" => Ok(Activation::Identity),
        "rectifier" => Ok(Activation::Rectifier(number)),
        "tanh" => Ok(Activation::Tanh),
        "elu" => Ok(Activation::Elu(number)),
        "softplus" => Ok(Activation::Softplus),
        _ => Err(Error::domain("layers", "have activations that are known", name)),
    }
}

fn prior_of(name: &str) -> Result<Prior> {
    match name {
        "normal" => Ok(Prior::Normal),
        "uniform" => Ok(Prior::Uniform),
        "sphere" => Ok(Prior::Sphere),
        _ => Err(Error::domain("prior", "be normal, uniform or sphere", name)),
    }
}

/// Energies and their gradients at the rows of `u`.
#[pyfunction]
#[pyo3(signature = (u, *, pair))]
pub fn mlp_value_and_grad<'py>(u: &Bound<'py, PyAny>, pair: Pair) -> PyResult<Slopes<'py>> {
    let Pair(energy) = pair;
    let (py, array) = (u.py(), readonly("u", typed::<f32>("u", u)?)?);
    outer("u", array.shape(), energy.dim())?;
    let rows = array.as_slice()?;
    let work = rows.len() / energy.dim() * energy.work();
    let (energies, slopes) = enter(py, work, move |interrupt| energy.value_and_grad(rows, interrupt))?;
    let slopes = slopes.into_pyarray(py).reshape(array.shape())?;
    Ok((energies.into_pyarray(py).into_any(), slopes.into_any()))
}

/// Run chains from the rows of `initial`.
#[pyfunction]
#[pyo3(signature = (initial, *, pair, pace, counter, plan))]
pub fn mlp_langevin<'py>(
    initial: &Bound<'py, PyAny>,
    pair: Pair,
    pace: Pace,
    counter: Counter,
    plan: (u64, bool),
) -> PyResult<Chains<'py>> {
    let Pair(energy) = pair;
    let (py, array) = (initial.py(), readonly("initial", typed::<f32>("initial", initial)?)?);
    outer("initial", array.shape(), energy.dim())?;
    let (mut states, (steps, metropolis)) = (array.as_slice()?.to_vec(), plan);
    let course = Course { dynamics: dynamics(pace), metropolis, steps, noise: noise(counter) };
    let work = states.len().saturating_mul(energy.work()).saturating_mul((steps as usize).saturating_add(1));
    let (states, journey) = enter(py, work, move |interrupt| {
        let journey = energy.langevin(&mut states, course, interrupt)?;
        Ok((states, journey))
    })?;
    let states = states.into_pyarray(py).reshape(array.shape())?;
    let chains = journey.stopped.len();
    let energies = journey.energies.into_pyarray(py).reshape([steps as usize + 1, chains])?;
    let stopped = journey.stopped.into_pyarray(py);
    Ok((states.into_any(), energies.into_any(), journey.accepted, stopped.into_any()))
}
