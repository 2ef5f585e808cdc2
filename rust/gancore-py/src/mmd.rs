//! Binding of `gancore_kernels::mmd`.

use gancore_kernels::linalg::product::Factor;
use gancore_kernels::mmd::{self, Kernel, Samples};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, mixed_dtypes, readonly, shape_error, typed};
use crate::enter::enter;
use crate::error::DTypeError;

/// Degree, gamma, coef0 and, for kernels of distances, the bandwidths.
type Shape = (u32, f64, f64, Vec<f64>);

/// Squared maximum mean discrepancy of all pairs, and its standard error.
#[pyfunction]
#[pyo3(signature = (x, y, *, kernel, shape, unbiased))]
pub fn mmd2(
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    kernel: &str,
    shape: Shape,
    unbiased: bool,
) -> PyResult<(f64, f64)> {
    let kernel = named(kernel, shape)?;
    let (py, x, y) = (x.py(), Reals::extract("x", x)?, Reals::extract("y", y)?);
    let d = width(&x, &y)?;
    let work = work(&x, &y);
    match (&x, &y) {
        (Reals::F32(x), Reals::F32(y)) => {
            let samples = samples(x, y, d, &kernel, unbiased)?;
            enter(py, work, |interrupt| mmd::mmd2(samples, interrupt))
        }
        (Reals::F64(x), Reals::F64(y)) => {
            let samples = samples(x, y, d, &kernel, unbiased)?;
            enter(py, work, |interrupt| mmd::mmd2(samples, interrupt))
        }
        _ => Err(mixed_dtypes("x", "y")),
    }
}

/// The same of subsets, given by the indices of their rows.
#[pyfunction]
#[pyo3(signature = (x, y, *, x_rows, y_rows, kernel, shape, unbiased))]
pub fn mmd2_subsets<'py>(
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    x_rows: &Bound<'py, PyAny>,
    y_rows: &Bound<'py, PyAny>,
    kernel: &str,
    shape: Shape,
    unbiased: bool,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let kernel = named(kernel, shape)?;
    let (py, x, y) = (x.py(), Reals::extract("x", x)?, Reals::extract("y", y)?);
    let d = width(&x, &y)?;
    let x_rows = readonly("x_rows", typed::<i64>("x_rows", x_rows)?)?;
    let y_rows = readonly("y_rows", typed::<i64>("y_rows", y_rows)?)?;
    let &[_, size] = x_rows.shape() else {
        return Err(shape_error("x_rows", "(subsets, size)", x_rows.shape()));
    };
    let (work, x_rows, y_rows) = (usize::MAX, x_rows.as_slice()?, y_rows.as_slice()?);
    let values = match (&x, &y) {
        (Reals::F32(x), Reals::F32(y)) => {
            let samples = samples(x, y, d, &kernel, unbiased)?;
            enter(py, work, |interrupt| mmd::mmd2_subsets(samples, x_rows, y_rows, size, interrupt))
        }
        (Reals::F64(x), Reals::F64(y)) => {
            let samples = samples(x, y, d, &kernel, unbiased)?;
            enter(py, work, |interrupt| mmd::mmd2_subsets(samples, x_rows, y_rows, size, interrupt))
        }
        _ => Err(mixed_dtypes("x", "y")),
    }?;
    Ok(values.into_pyarray(py))
}

fn samples<'a, T: Factor + numpy::Element>(
    x: &'a PyReadonlyArrayDyn<'_, T>,
    y: &'a PyReadonlyArrayDyn<'_, T>,
    d: usize,
    kernel: &'a Kernel,
    unbiased: bool,
) -> PyResult<Samples<'a, T>> {
    Ok(Samples { x: x.as_slice()?, y: y.as_slice()?, d, kernel, unbiased })
}

fn named(kernel: &str, (degree, gamma, coef0, bandwidth): Shape) -> PyResult<Kernel> {
    match kernel {
        "polynomial" => Ok(Kernel::Polynomial { degree, gamma, coef0 }),
        "rbf" => Ok(Kernel::Rbf(bandwidth)),
        "rational_quadratic" => Ok(Kernel::RationalQuadratic(bandwidth)),
        _ => Err(DTypeError::new_err(format!("`kernel` must name a kernel; got {kernel:?}"))),
    }
}

fn width(x: &Reals<'_>, y: &Reals<'_>) -> PyResult<usize> {
    let &[_, d] = x.shape() else { return Err(shape_error("x", "(n, d)", x.shape())) };
    match y.shape() {
        &[_, other] if other == d => Ok(d),
        got => Err(shape_error("y", &format!("(m, {d})"), got)),
    }
}

fn work(x: &Reals<'_>, y: &Reals<'_>) -> usize {
    let rows = |side: &Reals<'_>| side.shape().first().copied().unwrap_or(0);
    let d = x.shape().last().copied().unwrap_or(0);
    (rows(x) + rows(y)).saturating_mul(rows(x) + rows(y)).saturating_mul(d)
}
