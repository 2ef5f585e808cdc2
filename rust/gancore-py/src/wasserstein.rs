//! Binding of `gancore_kernels::wasserstein`.

mod clouds;

pub use clouds::{energy_distance, max_sliced_wasserstein, sliced_wasserstein};

use gancore_kernels::Result;
use gancore_kernels::num::Real;
use gancore_kernels::pool::Interrupt;
use gancore_kernels::wasserstein::{self, Coupling, Samples};
use numpy::{
    Element, IntoPyArray, PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use crate::array::{Reals, readonly, shape_error, typed};
use crate::enter::enter;

type Any<'a, 'py> = &'a Bound<'py, PyAny>;
type Weights<'a, 'py> = Option<&'a Bound<'py, PyAny>>;
type Values<'py> = PyResult<Bound<'py, PyArrayDyn<f64>>>;
type Integers<'py> = Bound<'py, PyArray1<i64>>;
type Floats<'py> = Bound<'py, PyArray1<f64>>;
type Cells<'py> = (Integers<'py>, Integers<'py>, Floats<'py>, Floats<'py>, Floats<'py>);

/// W_p between samples on the last axes.
#[pyfunction]
#[pyo3(signature = (x, y, x_weights=None, y_weights=None, *, p))]
pub fn wasserstein_1d<'py>(
    x: Any<'_, 'py>,
    y: Any<'_, 'py>,
    x_weights: Weights<'_, 'py>,
    y_weights: Weights<'_, 'py>,
    p: f64,
) -> Values<'py> {
    let (values, outer) = by_rows([x, y], [x_weights, y_weights], &Line(p))?;
    values.into_pyarray(x.py()).reshape(outer)
}

/// W_p on a circle.
#[pyfunction]
#[pyo3(signature = (x, y, x_weights=None, y_weights=None, *, p, period))]
pub fn wasserstein_circle<'py>(
    x: Any<'_, 'py>,
    y: Any<'_, 'py>,
    x_weights: Weights<'_, 'py>,
    y_weights: Weights<'_, 'py>,
    p: f64,
    period: f64,
) -> Values<'py> {
    let (values, outer) = by_rows([x, y], [x_weights, y_weights], &Circle(p, period))?;
    values.into_pyarray(x.py()).reshape(outer)
}

/// Cramér distance between samples on the last axes.
#[pyfunction]
#[pyo3(signature = (x, y, x_weights=None, y_weights=None))]
pub fn cramer_distance<'py>(
    x: Any<'_, 'py>,
    y: Any<'_, 'py>,
    x_weights: Weights<'_, 'py>,
    y_weights: Weights<'_, 'py>,
) -> Values<'py> {
    let (values, outer) = by_rows([x, y], [x_weights, y_weights], &Cramer())?;
    values.into_pyarray(x.py()).reshape(outer)
}

/// The optimal coupling of two samples on the line: rows, columns, masses and both duals.
#[pyfunction]
#[pyo3(signature = (x, y, x_weights=None, y_weights=None, *, p))]
pub fn coupling_1d<'py>(
    x: Any<'_, 'py>,
    y: Any<'_, 'py>,
    x_weights: Weights<'_, 'py>,
    y_weights: Weights<'_, 'py>,
    p: f64,
) -> PyResult<Cells<'py>> {
    let (found, outer) = by_rows([x, y], [x_weights, y_weights], &Couple(p))?;
    if !outer.is_empty() {
        return Err(shape_error("x", "(n,)", &outer));
    }
    let py = x.py();
    Ok((
        found.rows.into_pyarray(py),
        found.cols.into_pyarray(py),
        found.mass.into_pyarray(py),
        found.dual_x.into_pyarray(py),
        found.dual_y.into_pyarray(py),
    ))
}

/// A kernel of rows or of clouds, for either element type.
trait Kernel<Input> {
    type Output: Send;
    fn answer(&self, input: Input, interrupt: &Interrupt) -> Result<Self::Output>;
}

macro_rules! kernel {
    ($name:ident($($setting:ident: $kind:ty),*), $input:ident -> $output:ty, $function:path) => {
        struct $name($($kind),*);
        impl<T: Real> Kernel<$input<'_, T>> for $name {
            type Output = $output;
            fn answer(&self, input: $input<'_, T>, interrupt: &Interrupt) -> Result<$output> {
                let Self($($setting),*) = self;
                $function(input, $(*$setting,)* interrupt)
            }
        }
    };
}

use kernel;

kernel!(Line(p: f64), Samples -> Vec<f64>, wasserstein::wasserstein_1d);
kernel!(Circle(p: f64, period: f64), Samples -> Vec<f64>, wasserstein::wasserstein_circle);
kernel!(Cramer(), Samples -> Vec<f64>, wasserstein::cramer_distance);
kernel!(Couple(p: f64), Samples -> Coupling, wasserstein::coupling_1d);

fn by_rows<'py, K, O>(
    points: [Any<'_, 'py>; 2],
    weights: [Weights<'_, 'py>; 2],
    kernel: &K,
) -> PyResult<(O, Vec<usize>)>
where
    O: Send,
    K: for<'a> Kernel<Samples<'a, f32>, Output = O> + for<'a> Kernel<Samples<'a, f64>, Output = O> + Sync,
{
    match Reals::extract("x", points[0])? {
        Reals::F32(x) => rows_of(&x, points[1], weights, kernel),
        Reals::F64(x) => rows_of(&x, points[1], weights, kernel),
    }
}

fn rows_of<'py, T, K, O>(
    x: &PyReadonlyArrayDyn<'py, T>,
    y: Any<'_, 'py>,
    weights: [Weights<'_, 'py>; 2],
    kernel: &K,
) -> PyResult<(O, Vec<usize>)>
where
    T: Real + Element,
    O: Send,
    K: for<'a> Kernel<Samples<'a, T>, Output = O> + Sync,
{
    let of_type = |argument, array| readonly(argument, typed::<T>(argument, array)?);
    let y = of_type("y", y)?;
    let x_weights = weights[0].map(|array| of_type("x_weights", array)).transpose()?;
    let y_weights = weights[1].map(|array| of_type("y_weights", array)).transpose()?;
    let Some((&n, outer)) = x.shape().split_last() else {
        return Err(shape_error("x", "(..., n)", x.shape()));
    };
    let Some((&m, outer_y)) = y.shape().split_last() else {
        return Err(shape_error("y", "(..., m)", y.shape()));
    };
    if outer != outer_y {
        return Err(shape_error("y", &format!("{outer:?} + [m], as `x` has {outer:?} + [n],"), y.shape()));
    }
    for (argument, weights, points) in [("x_weights", &x_weights, x), ("y_weights", &y_weights, &y)] {
        if let Some(weights) = weights
            && weights.shape() != points.shape()
        {
            let expected = format!("{:?}, as `{}` has,", points.shape(), &argument[..1]);
            return Err(shape_error(argument, &expected, weights.shape()));
        }
    }
    let samples = Samples {
        x: x.as_slice()?,
        y: y.as_slice()?,
        x_weights: x_weights.as_ref().map(|array| array.as_slice()).transpose()?,
        y_weights: y_weights.as_ref().map(|array| array.as_slice()).transpose()?,
        n,
        m,
        rows: outer.iter().product(),
    };
    let work = samples.x.len() + samples.y.len();
    Ok((enter(x.py(), work, |interrupt| kernel.answer(samples, interrupt))?, outer.to_vec()))
}
