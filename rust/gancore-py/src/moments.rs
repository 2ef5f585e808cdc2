//! Binding of `gancore_kernels::moments`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gancore_kernels::moments::{self, Parts};
use numpy::{IntoPyArray, PyArray1, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;

use crate::array::{Reals, float64, shape_error};
use crate::enter::enter;
use crate::error::ToPython;

/// Rows joined, origin, offset, scatter, pending rows.
type State<'py> = (
    u64,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArrayDyn<f64>>,
    Bound<'py, PyArrayDyn<f64>>,
);

/// Count, mean and scatter of the rows seen so far.
#[pyclass(frozen)]
pub struct Moments {
    state: Mutex<moments::Moments>,
}

impl Moments {
    fn state(&self) -> MutexGuard<'_, moments::Moments> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Moments {
    #[new]
    fn new(dim: usize) -> PyResult<Self> {
        Ok(Self { state: Mutex::new(moments::Moments::new(dim).to_python()?) })
    }

    /// A state from its parts: rows joined, origin, offset, scatter, pending rows.
    #[staticmethod]
    fn from_state(
        joined: u64,
        origin: &Bound<'_, PyAny>,
        offset: &Bound<'_, PyAny>,
        scatter: &Bound<'_, PyAny>,
        pending: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let own = |argument, value| PyResult::Ok(float64(argument, value)?.as_slice()?.to_vec());
        let (origin, offset) = (own("origin", origin)?, own("offset", offset)?);
        let (scatter, pending) = (own("scatter", scatter)?, own("pending", pending)?);
        let state = moments::Moments::from_parts(&Parts { joined, origin, offset, scatter, pending });
        Ok(Self { state: Mutex::new(state.to_python()?) })
    }

    /// The parts that `from_state` takes.
    fn state_parts<'py>(&self, py: Python<'py>) -> PyResult<State<'py>> {
        let parts = self.state().parts();
        let d = parts.origin.len();
        let rows = parts.pending.len() / d;
        Ok((
            parts.joined,
            parts.origin.into_pyarray(py),
            parts.offset.into_pyarray(py),
            parts.scatter.into_pyarray(py).reshape([d, d].as_slice())?,
            parts.pending.into_pyarray(py).reshape([rows, d].as_slice())?,
        ))
    }

    /// Take in rows of features.
    fn insert(&self, py: Python<'_>, features: &Bound<'_, PyAny>) -> PyResult<()> {
        let features = Reals::extract("features", features)?;
        let (shape, d) = (features.shape(), self.dim());
        if shape.len() != 2 || shape[1] != d {
            return Err(shape_error("features", &format!("(n, {d})"), shape));
        }
        let work = self.state().work(shape[0]);
        match &features {
            Reals::F32(x) => {
                let x = x.as_slice()?;
                enter(py, work, |interrupt| self.state().insert(x, interrupt))
            }
            Reals::F64(x) => {
                let x = x.as_slice()?;
                enter(py, work, |interrupt| self.state().insert(x, interrupt))
            }
        }
    }

    /// The state of all rows of both.
    fn combine(&self, py: Python<'_>, other: &Bound<'_, Self>) -> PyResult<Self> {
        // Copied before the first is locked: merging a state with itself must not lock it twice.
        let other = other.get().state().clone();
        let merged = enter(py, self.work(), |_| self.state().combine(&other))?;
        Ok(Self { state: Mutex::new(merged) })
    }

    #[getter]
    fn dim(&self) -> usize {
        self.state().dim()
    }

    #[getter]
    fn count(&self) -> u64 {
        self.state().count()
    }

    fn mean<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        Ok(enter(py, self.dim() * moments::ROWS, |_| self.state().mean())?.into_pyarray(py))
    }

    fn covariance<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let covariance = enter(py, self.work(), |_| self.state().covariance())?;
        covariance.into_pyarray(py).reshape([self.dim(), self.dim()].as_slice())
    }
}

impl Moments {
    fn work(&self) -> usize {
        self.dim() * self.dim()
    }
}
