//! Bytes between Rust and Python without a copy.

use std::ffi::c_int;

use bytes::Bytes;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

/// Shorter responses are copied, which is faster than keeping a Python object until they are sent.
const WORTHWHILE_BYTES: usize = 16 << 10;

/// Bytes that Python can read while it keeps this object.
#[pyclass(frozen, module = "perennial_front")]
pub struct Buffer(pub Bytes);

#[pymethods]
impl Buffer {
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("expected a view to fill in"));
        }
        let data = &slf.get().0;
        let (start, length) = (data.as_ptr().cast_mut().cast(), data.len() as ffi::Py_ssize_t);
        // SAFETY: the bytes never move nor change, and the view keeps `slf`, which owns them.
        match unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start, length, 1, flags) } {
            0 => Ok(()),
            _ => Err(PyErr::fetch(slf.py())),
        }
    }
}

/// Convert the bytes of a response from Python.
pub fn bytes_of(answer: PyBackedBytes) -> Bytes {
    if answer.len() < WORTHWHILE_BYTES {
        Bytes::copy_from_slice(&answer)
    } else {
        Bytes::from_owner(answer)
    }
}
