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
    readonly(argument, typed(argument, value)?)
}

/// Take an array of one element type.
pub fn typed<'a, 'py, T: Element>(
    argument: &str,
    value: &'a Bound<'py, PyAny>,
) -> PyResult<&'a Bound<'py, PyArrayDyn<T>>> {
    value
        .cast::<PyArrayDyn<T>>()
        .map_err(|_| dtype_error(argument, &format!("a {} array", T::get_dtype(value.py())), value))
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

/// Take a C-contiguous array to write to.
pub fn writable<'py, T: Element>(
    argument: &str,
    array: &Bound<'py, PyArrayDyn<T>>,
) -> PyResult<PyReadwriteArrayDyn<'py, T>> {
    if !array.is_c_contiguous() {
        return Err(ShapeError::new_err(format!("`{argument}` must be C-contiguous; got a strided view")));
    }
    array.try_readwrite().map_err(|_| {
        ShapeError::new_err(format!("`{argument}` must be writable, and not be in use by another call"))
    })
}

/// Refuse to write to memory that is also read.
pub fn disjoint<T: Element>(
    argument: &str,
    array: &Bound<'_, PyArrayDyn<T>>,
    out: &Bound<'_, PyArrayDyn<T>>,
) -> PyResult<()> {
    let distance = array.data().addr().abs_diff(out.data().addr());
    if distance < size_of::<T>() * if array.data() < out.data() { array.len() } else { out.len() } {
        return Err(ShapeError::new_err(format!(
            "`out` must be memory of its own; it overlaps `{argument}`"
        )));
    }
    Ok(())
}

/// Numbers of a row: the product of all lengths but the first.
pub fn row_length(argument: &str, shape: &[usize]) -> PyResult<usize> {
    match shape.split_first() {
        Some((_, rest)) => Ok(rest.iter().product()),
        None => Err(shape_error(argument, "(n, ...)", shape)),
    }
}

/// All axes but the last, which must have a given length.
pub fn outer<'a>(argument: &str, shape: &'a [usize], length: usize) -> PyResult<&'a [usize]> {
    match shape.split_last() {
        Some((&last, outer)) if last == length => Ok(outer),
        _ => Err(shape_error(argument, &format!("(..., {length})"), shape)),
    }
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
