//! Binding of `gancore_kernels::wasserstein`.

use gancore_kernels::num::Real;
use gancore_kernels::wasserstein::{self, Samples};
use numpy::{Element, IntoPyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, mixed_dtypes, shape_error};
use crate::enter::enter_owned;

/// W_p between samples on the last axes.
#[pyfunction]
#[pyo3(signature = (x, y, *, p))]
pub fn wasserstein_1d<'py>(
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    p: f64,
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let py = x.py();
    match (Reals::extract("x", x)?, Reals::extract("y", y)?) {
        (Reals::F32(x), Reals::F32(y)) => last_axis(py, &x, &y, p),
        (Reals::F64(x), Reals::F64(y)) => last_axis(py, &x, &y, p),
        _ => Err(mixed_dtypes("x", "y")),
    }
}

fn last_axis<'py, T: Real + Element>(
    py: Python<'py>,
    x: &PyReadonlyArrayDyn<'py, T>,
    y: &PyReadonlyArrayDyn<'py, T>,
    p: f64,
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let Some((&n, outer)) = x.shape().split_last() else {
        return Err(shape_error("x", "(..., n)", x.shape()));
    };
    let Some((&m, outer_y)) = y.shape().split_last() else {
        return Err(shape_error("y", "(..., m)", y.shape()));
    };
    if outer != outer_y {
        return Err(shape_error("y", &format!("{outer:?} + [m], as `x` has {outer:?} + [n],"), y.shape()));
    }
    let rows = outer.iter().product();
    // A sort cannot be asked to stop, so it works on points of its own.
    let (own_x, own_y) = (x.as_slice()?.to_vec(), y.as_slice()?.to_vec());
    let values = enter_owned(py, own_x.len() + own_y.len(), move |interrupt| {
        wasserstein::wasserstein_1d(Samples { x: &own_x, y: &own_y, n, m, rows }, p, interrupt)
    })?;
    values.into_pyarray(py).reshape(outer)
}
