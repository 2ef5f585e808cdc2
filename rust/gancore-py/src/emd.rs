//! Binding of `gancore_kernels::emd`.

use std::borrow::Cow;

use gancore_kernels::emd::{self as kernel, Plan, Problem};
use gancore_kernels::num::Real;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use crate::array::{Reals, shape_error};
use crate::enter::enter;

type Floats<'py> = Bound<'py, PyArray1<f64>>;
type Indices<'py> = Bound<'py, PyArray1<i64>>;
/// Cost, support (rows, columns, masses), duals, gap, and pivots taken.
type Transport<'py> =
    (f64, (Indices<'py>, Indices<'py>, Floats<'py>), (Floats<'py>, Floats<'py>), f64, u64);

/// Exact optimal transport of masses `a` to masses `b`.
#[pyfunction]
#[pyo3(signature = (a, b, cost, *, normalize, max_iterations))]
pub fn emd<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    cost: &Bound<'py, PyAny>,
    normalize: bool,
    max_iterations: Option<u64>,
) -> PyResult<Transport<'py>> {
    let py = a.py();
    let (a, b) = (Reals::extract("a", a)?, Reals::extract("b", b)?);
    let cost = Reals::extract("cost", cost)?;
    let (n, m) = (length("a", &a)?, length("b", &b)?);
    if cost.shape() != [n, m] {
        return Err(shape_error("cost", &format!("({n}, {m})"), cost.shape()));
    }
    let single = matches!(a, Reals::F32(_)) || matches!(b, Reals::F32(_));
    let tolerance = if single { kernel::TOLERANCE_F32 } else { kernel::TOLERANCE_F64 };
    let (a, b) = (masses(&a)?, masses(&b)?);
    let (a, b) = (&*a, &*b);
    let plan = match &cost {
        Reals::F32(cost) => {
            solve(py, Problem { a, b, cost: cost.as_slice()?, tolerance, normalize, max_iterations })?
        }
        Reals::F64(cost) => {
            solve(py, Problem { a, b, cost: cost.as_slice()?, tolerance, normalize, max_iterations })?
        }
    };
    let support = (plan.rows.into_pyarray(py), plan.columns.into_pyarray(py), plan.mass.into_pyarray(py));
    let duals = (plan.dual_a.into_pyarray(py), plan.dual_b.into_pyarray(py));
    Ok((plan.cost, support, duals, plan.gap, plan.iterations))
}

fn solve<T: Real>(py: Python<'_>, problem: Problem<'_, T>) -> PyResult<Plan> {
    // Pivots are of the order of n + m, and each looks at about a row.
    let work = problem.cost.len().saturating_mul(16);
    enter(py, work, |interrupt| kernel::solve(problem, interrupt))
}

fn length(argument: &str, masses: &Reals<'_>) -> PyResult<usize> {
    match *masses.shape() {
        [length] => Ok(length),
        ref shape => Err(shape_error(argument, "(n,)", shape)),
    }
}

fn masses<'a>(masses: &'a Reals<'_>) -> PyResult<Cow<'a, [f64]>> {
    Ok(match masses {
        Reals::F32(masses) => masses.as_slice()?.iter().map(|&mass| f64::from(mass)).collect(),
        Reals::F64(masses) => Cow::Borrowed(masses.as_slice()?),
    })
}
