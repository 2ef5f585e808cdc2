//! Arrays at the border: element type, axes and contiguity, each refused under the argument's name.

use numpy::{
    Element, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use crate::error::{DTypeError, ShapeError};

/// A contiguous array of either element type that kernels read.
pub enum Reals<'py> {
    /// float32
    F32(PyReadonlyArrayDyn<'py, f32>),
    /// float64
    F64(PyReadonlyArrayDyn<'py, f64>),
}

impl<'py> Reals<'py> {
    /// Take a C-contiguous float32 or float64 array.
    pub fn extract(argument: &str, value: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = value.cast::<PyArrayDyn<f32>>() {
            return readonly(argument, array).map(Self::F32);
        }
        if let Ok(array) = value.cast::<PyArrayDyn<f64>>() {
            return readonly(argument, array).map(Self::F64);
        }
        Err(dtype_error(argument, "a float32 or float64 array", value))
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::F32(array) => array.shape(),
            Self::F64(array) => array.shape(),
        }
    }
}

/// Take a C-contiguous float64 array.
pub fn float64<'py>(argument: &str, value: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, f64>> {
    match value.cast::<PyArrayDyn<f64>>() {
        Ok(array) => readonly(argument, array),
        Err(_) => Err(dtype_error(argument, "a float64 array", value)),
    }
}

/// Take a C-contiguous array to read from.
pub fn readonly<'py, T: Element>(
    argument: &str,
    array: &Bound<'py, PyArrayDyn<T>>,
) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    if !array.is_c_contiguous() {
        return Err(ShapeError::new_err(format!("`{argument}` must be C-contiguous; got a strided view")));
    }
    array
        .try_readonly()
        .map_err(|_| ShapeError::new_err(format!("`{argument}` is being written to by another call")))
}

/// Take a C-contiguous array of one element type to write to.
pub fn writable<'py, T: Element>(
    argument: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<PyReadwriteArrayDyn<'py, T>> {
    let Ok(array) = value.cast::<PyArrayDyn<T>>() else {
        return Err(dtype_error(argument, &format!("an array of {}", T::get_dtype(value.py())), value));
    };
    if !array.is_c_contiguous() {
        return Err(ShapeError::new_err(format!("`{argument}` must be C-contiguous; got a strided view")));
    }
    array.try_readwrite().map_err(|_| {
        ShapeError::new_err(format!("`{argument}` must be writable, and not be in use by another call"))
    })
}

/// The error for an element type or kind that a kernel does not take.
pub fn dtype_error(argument: &str, expected: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let got = value
        .getattr("dtype")
        .or_else(|_| value.get_type().name().map(Bound::into_any))
        .map_or_else(|_| "something else".to_owned(), |name| name.to_string());
    DTypeError::new_err(format!("`{argument}` must be {expected}; got {got}"))
}

/// The error for two arrays whose element types must agree.
pub fn mixed_dtypes(first: &str, second: &str) -> PyErr {
    DTypeError::new_err(format!("`{first}` and `{second}` must have the same dtype; got float32 and float64"))
}

/// The error for an array with the wrong axes.
pub fn shape_error(argument: &str, expected: &str, got: &[usize]) -> PyErr {
    ShapeError::new_err(format!("`{argument}` must have shape {expected}; got {got:?}"))
}
