//! Binding of `gancore_kernels::neighbors`.

use gancore_kernels::neighbors::{self, Balls};
use numpy::{IntoPyArray, PyArray1, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, float64, mixed_dtypes, shape_error};
use crate::enter::enter;

type Counts<'py> = Bound<'py, PyArray1<i64>>;

/// Distances of each row to its k nearest others, ascending.
#[pyfunction]
#[pyo3(signature = (x, *, k))]
pub fn knn_distances<'py>(x: &Bound<'py, PyAny>, k: usize) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let (py, x) = (x.py(), Reals::extract("x", x)?);
    let &[n, d] = x.shape() else { return Err(shape_error("x", "(n, d)", x.shape())) };
    let work = n.saturating_mul(n).saturating_mul(d);
    let distances = match &x {
        Reals::F32(x) => {
            let x = x.as_slice()?;
            enter(py, work, |interrupt| neighbors::knn_distances(x, d, k, interrupt))
        }
        Reals::F64(x) => {
            let x = x.as_slice()?;
            enter(py, work, |interrupt| neighbors::knn_distances(x, d, k, interrupt))
        }
    }?;
    distances.into_pyarray(py).reshape([n, k].as_slice())
}

/// Counts in closed balls: (x_holds, y_held, y_holds, x_held), family after family.
#[pyfunction]
#[pyo3(signature = (x, y, *, x_radii, y_radii))]
pub fn ball_counts<'py>(
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    x_radii: &Bound<'py, PyAny>,
    y_radii: &Bound<'py, PyAny>,
) -> PyResult<(Counts<'py>, Counts<'py>, Counts<'py>, Counts<'py>)> {
    let (py, x, y) = (x.py(), Reals::extract("x", x)?, Reals::extract("y", y)?);
    let &[n, d] = x.shape() else { return Err(shape_error("x", "(n, d)", x.shape())) };
    let m = match y.shape() {
        &[m, other] if other == d => m,
        got => return Err(shape_error("y", &format!("(m, {d})"), got)),
    };
    let work = n.saturating_mul(m).saturating_mul(d);
    let (x_radii, y_radii) = (float64("x_radii", x_radii)?, float64("y_radii", y_radii)?);
    let (x_radii, y_radii) = (x_radii.as_slice()?, y_radii.as_slice()?);
    let (of_x, of_y) = match (&x, &y) {
        (Reals::F32(x), Reals::F32(y)) => {
            let x = Balls { centers: x.as_slice()?, radii: x_radii };
            let y = Balls { centers: y.as_slice()?, radii: y_radii };
            enter(py, work, |interrupt| neighbors::ball_counts(x, y, d, interrupt))
        }
        (Reals::F64(x), Reals::F64(y)) => {
            let x = Balls { centers: x.as_slice()?, radii: x_radii };
            let y = Balls { centers: y.as_slice()?, radii: y_radii };
            enter(py, work, |interrupt| neighbors::ball_counts(x, y, d, interrupt))
        }
        _ => return Err(mixed_dtypes("x", "y")),
    }?;
    let array = |counts: Vec<i64>| counts.into_pyarray(py);
    Ok((array(of_x.holds), array(of_x.held), array(of_y.holds), array(of_y.held)))
}
