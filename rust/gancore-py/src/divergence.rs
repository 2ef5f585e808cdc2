//! Binding of `gancore_kernels::divergence`.

use gancore_kernels::divergence::{self as kernel, Measure, Rows};
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, mixed_dtypes, shape_error};
use crate::enter::enter;
use crate::error::BackendError;

type Values<'py> = PyResult<Bound<'py, PyArrayDyn<f64>>>;

/// A measure over the last axis; `alpha` is read by those that have an order.
#[pyfunction]
#[pyo3(signature = (p, q, *, measure, alpha, normalize))]
pub fn divergence<'py>(
    p: &Bound<'py, PyAny>,
    q: &Bound<'py, PyAny>,
    measure: &str,
    alpha: f64,
    normalize: bool,
) -> Values<'py> {
    let (py, measure) = (p.py(), named(measure, alpha)?);
    let (p, q) = (Reals::extract("p", p)?, Reals::extract("q", q)?);
    let Some((&width, outer)) = p.shape().split_last() else {
        return Err(shape_error("p", "(..., k)", p.shape()));
    };
    if p.shape() != q.shape() {
        return Err(shape_error("q", &format!("{:?}, as `p` has,", p.shape()), q.shape()));
    }
    let work = p.shape().iter().product();
    let values = match (&p, &q) {
        (Reals::F32(p), Reals::F32(q)) => {
            let rows = Rows { p: p.as_slice()?, q: q.as_slice()?, width, normalize };
            enter(py, work, |interrupt| kernel::divergence(measure, rows, interrupt))?
        }
        (Reals::F64(p), Reals::F64(q)) => {
            let rows = Rows { p: p.as_slice()?, q: q.as_slice()?, width, normalize };
            enter(py, work, |interrupt| kernel::divergence(measure, rows, interrupt))?
        }
        _ => return Err(mixed_dtypes("p", "q")),
    };
    values.into_pyarray(py).reshape(outer)
}

/// Mutual information of joint distributions on the last two axes.
#[pyfunction]
#[pyo3(signature = (joint, *, normalize))]
pub fn mutual_information<'py>(joint: &Bound<'py, PyAny>, normalize: bool) -> Values<'py> {
    let py = joint.py();
    let joint = Reals::extract("joint", joint)?;
    let [outer @ .., height, width] = joint.shape() else {
        return Err(shape_error("joint", "(..., a, b)", joint.shape()));
    };
    let (size, work) = ((*height, *width), joint.shape().iter().product());
    let values = match &joint {
        Reals::F32(joint) => {
            let joint = joint.as_slice()?;
            enter(py, work, |interrupt| kernel::mutual_information(joint, size, normalize, interrupt))?
        }
        Reals::F64(joint) => {
            let joint = joint.as_slice()?;
            enter(py, work, |interrupt| kernel::mutual_information(joint, size, normalize, interrupt))?
        }
    };
    values.into_pyarray(py).reshape(outer)
}

fn named(measure: &str, alpha: f64) -> PyResult<Measure> {
    Ok(match measure {
        "kl" => Measure::Kl,
        "reverse_kl" => Measure::ReverseKl,
        "jensen_shannon" => Measure::JensenShannon,
        "gan" => Measure::Gan,
        "total_variation" => Measure::TotalVariation,
        "squared_hellinger" => Measure::SquaredHellinger,
        "hellinger" => Measure::Hellinger,
        "pearson" => Measure::Pearson,
        "neyman" => Measure::Neyman,
        "alpha" => Measure::Alpha(alpha),
        "renyi" => Measure::Renyi(alpha),
        "entropy" => Measure::Entropy,
        "cross_entropy" => Measure::CrossEntropy,
        _ => return Err(BackendError::new_err(format!("the compiled kernel has no measure {measure:?}"))),
    })
}
