//! Binding of `gancore_kernels::emd`.

use std::borrow::Cow;

use gancore_kernels::emd::{self as kernel, Batch, Problem};
use numpy::{IntoPyArray, PyArray1, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, outer, shape_error};
use crate::enter::enter;

type Floats<'py> = Bound<'py, PyArray1<f64>>;
type Indices<'py> = Bound<'py, PyArray1<i64>>;
/// Cost, support (rows, columns, masses), duals, gap, and pivots taken.
type Transport<'py> = (f64, (Indices<'py>, Indices<'py>, Floats<'py>), (Floats<'py>, Floats<'py>), f64, u64);

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
    let (a, b, cost) = (Reals::extract("a", a)?, Reals::extract("b", b)?, Reals::extract("cost", cost)?);
    let (&[n], &[m]) = (a.shape(), b.shape()) else {
        let (argument, wrong) = if a.shape().len() == 1 { ("b", &b) } else { ("a", &a) };
        return Err(shape_error(argument, "(n,)", wrong.shape()));
    };
    if cost.shape() != [n, m] {
        return Err(shape_error("cost", &format!("({n}, {m})"), cost.shape()));
    }
    let (tolerance, work) = (tolerance(&a, &b), work(n, m));
    let (a, b) = (&*masses(&a)?, &*masses(&b)?);
    let plan = match &cost {
        Reals::F32(cost) => {
            let problem = Problem { a, b, cost: cost.as_slice()?, tolerance, normalize, max_iterations };
            enter(py, work, |interrupt| kernel::solve(problem, interrupt))?
        }
        Reals::F64(cost) => {
            let problem = Problem { a, b, cost: cost.as_slice()?, tolerance, normalize, max_iterations };
            enter(py, work, |interrupt| kernel::solve(problem, interrupt))?
        }
    };
    let support = (plan.rows.into_pyarray(py), plan.columns.into_pyarray(py), plan.mass.into_pyarray(py));
    let duals = (plan.dual_a.into_pyarray(py), plan.dual_b.into_pyarray(py));
    Ok((plan.cost, support, duals, plan.gap, plan.iterations))
}

/// Costs alone, over leading axes; one matrix of costs may serve all of them.
#[pyfunction]
#[pyo3(signature = (a, b, cost, *, normalize, max_iterations))]
pub fn emd_cost<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    cost: &Bound<'py, PyAny>,
    normalize: bool,
    max_iterations: Option<u64>,
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let py = a.py();
    let (a, b, cost) = (Reals::extract("a", a)?, Reals::extract("b", b)?, Reals::extract("cost", cost)?);
    let Some((&n, leading)) = a.shape().split_last() else {
        return Err(shape_error("a", "(..., n)", a.shape()));
    };
    let Some(&m) = b.shape().last() else {
        return Err(shape_error("b", "(..., m)", b.shape()));
    };
    if outer("b", b.shape(), m)? != leading {
        return Err(shape_error(
            "b",
            &format!("{leading:?} + [m], as `a` has {leading:?} + [n],"),
            b.shape(),
        ));
    }
    let whole = [leading, &[n, m]].concat();
    if cost.shape() != [n, m] && cost.shape() != whole {
        return Err(shape_error("cost", &format!("{whole:?} or [{n}, {m}]"), cost.shape()));
    }
    let (tolerance, work) = (tolerance(&a, &b), work(n, m).saturating_mul(leading.iter().product()));
    let (a, b) = (&*masses(&a)?, &*masses(&b)?);
    let values = match &cost {
        Reals::F32(cost) => {
            let problems = Problem { a, b, cost: cost.as_slice()?, tolerance, normalize, max_iterations };
            enter(py, work, |interrupt| kernel::costs(Batch { problems, n, m }, interrupt))?
        }
        Reals::F64(cost) => {
            let problems = Problem { a, b, cost: cost.as_slice()?, tolerance, normalize, max_iterations };
            enter(py, work, |interrupt| kernel::costs(Batch { problems, n, m }, interrupt))?
        }
    };
    values.into_pyarray(py).reshape(leading)
}

/// Pivots are of the order of n + m, and each of them looks at about sqrt(n m) arcs and more than that in the tree.
fn work(n: usize, m: usize) -> usize {
    n.saturating_mul(m).saturating_mul(16)
}

/// How far the totals may differ: masses that were rounded to float32 cannot be held to more.
fn tolerance(a: &Reals<'_>, b: &Reals<'_>) -> f64 {
    match (a, b) {
        (Reals::F64(_), Reals::F64(_)) => kernel::TOLERANCE_F64,
        _ => kernel::TOLERANCE_F32,
    }
}

fn masses<'a>(masses: &'a Reals<'_>) -> PyResult<Cow<'a, [f64]>> {
    Ok(match masses {
        Reals::F32(masses) => masses.as_slice()?.iter().map(|&mass| f64::from(mass)).collect(),
        Reals::F64(masses) => Cow::Borrowed(masses.as_slice()?),
    })
}
