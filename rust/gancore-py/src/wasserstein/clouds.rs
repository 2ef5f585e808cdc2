//! Distances of clouds of points in any dimension.

use gancore_kernels::Result;
use gancore_kernels::num::Real;
use gancore_kernels::pool::Interrupt;
use gancore_kernels::wasserstein::{self, Clouds, MaxSliced};
use numpy::{Element, IntoPyArray, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

use super::{Any, Floats, Kernel, kernel};
use crate::array::{Reals, readonly, shape_error, typed};
use crate::enter::enter;

/// Sliced W_p of two clouds.
#[pyfunction]
#[pyo3(signature = (x, y, *, p, n_projections, seed))]
pub fn sliced_wasserstein(
    x: Any<'_, '_>,
    y: Any<'_, '_>,
    p: f64,
    n_projections: usize,
    seed: u64,
) -> PyResult<f64> {
    by_clouds(x, y, n_projections, &Sliced(p, n_projections, seed))
}

/// The largest W_p along a line that was found, and the line's direction.
#[pyfunction]
#[pyo3(signature = (x, y, *, p, n_projections, seed))]
pub fn max_sliced_wasserstein<'py>(
    x: Any<'_, 'py>,
    y: Any<'_, 'py>,
    p: f64,
    n_projections: usize,
    seed: u64,
) -> PyResult<(f64, Floats<'py>)> {
    let found = by_clouds(x, y, n_projections, &Highest(p, n_projections, seed))?;
    Ok((found.value, found.direction.into_pyarray(x.py())))
}

/// Energy distance of two clouds.
#[pyfunction]
pub fn energy_distance(x: Any<'_, '_>, y: Any<'_, '_>) -> PyResult<f64> {
    by_clouds(x, y, x.len()?.saturating_add(y.len()?), &Energy())
}

kernel!(Sliced(p: f64, n: usize, seed: u64), Clouds -> f64, wasserstein::sliced_wasserstein);
kernel!(Highest(p: f64, n: usize, seed: u64), Clouds -> MaxSliced, wasserstein::max_sliced_wasserstein);
kernel!(Energy(), Clouds -> f64, wasserstein::energy_distance);

/// Answer for two clouds, at a cost of about `passes` times their size.
fn by_clouds<K, O>(x: Any<'_, '_>, y: Any<'_, '_>, passes: usize, kernel: &K) -> PyResult<O>
where
    O: Send,
    K: for<'a> Kernel<Clouds<'a, f32>, Output = O> + for<'a> Kernel<Clouds<'a, f64>, Output = O> + Sync,
{
    match Reals::extract("x", x)? {
        Reals::F32(x) => clouds_of(&x, y, passes, kernel),
        Reals::F64(x) => clouds_of(&x, y, passes, kernel),
    }
}

fn clouds_of<'py, T, K, O>(
    x: &PyReadonlyArrayDyn<'py, T>,
    y: Any<'_, 'py>,
    passes: usize,
    kernel: &K,
) -> PyResult<O>
where
    T: Real + Element,
    O: Send,
    K: for<'a> Kernel<Clouds<'a, T>, Output = O> + Sync,
{
    let y = readonly("y", typed::<T>("y", y)?)?;
    let &[_, dim] = x.shape() else {
        return Err(shape_error("x", "(n, d)", x.shape()));
    };
    if y.shape().len() != 2 || y.shape()[1] != dim {
        return Err(shape_error("y", &format!("(m, {dim})"), y.shape()));
    }
    let clouds = Clouds { x: x.as_slice()?, y: y.as_slice()?, dim };
    let work = (clouds.x.len() + clouds.y.len()).saturating_mul(passes);
    enter(x.py(), work, |interrupt| kernel.answer(clouds, interrupt))
}
