//! The one place where a kernel's error becomes a Python exception.

use gancore_kernels::Error;
use pyo3::PyErr;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

mod exceptions {
    pyo3::import_exception!(gancore.errors, BackendError);
    pyo3::import_exception!(gancore.errors, ConfigError);
    pyo3::import_exception!(gancore.errors, ConvergenceError);
    pyo3::import_exception!(gancore.errors, DTypeError);
    pyo3::import_exception!(gancore.errors, DomainError);
    pyo3::import_exception!(gancore.errors, NotPositiveDefiniteError);
    pyo3::import_exception!(gancore.errors, ShapeError);
}

pub use exceptions::{BackendError, DTypeError, ShapeError};

/// A kernel's result as Python sees it.
pub trait ToPython<T> {
    /// Turn the error into the exception of its kind.
    fn to_python(self) -> PyResult<T>;
}

impl<T> ToPython<T> for gancore_kernels::Result<T> {
    fn to_python(self) -> PyResult<T> {
        self.map_err(|error| exception(&error))
    }
}

fn exception(error: &Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::Shape { .. } => ShapeError::new_err(message),
        Error::Domain { .. } => exceptions::DomainError::new_err(message),
        Error::NotPositiveDefinite { .. } => exceptions::NotPositiveDefiniteError::new_err(message),
        Error::Convergence { .. } => exceptions::ConvergenceError::new_err(message),
        Error::Backend(_) => BackendError::new_err(message),
        Error::Config { .. } => exceptions::ConfigError::new_err(message),
        Error::Interrupted => PyKeyboardInterrupt::new_err(()),
    }
}
