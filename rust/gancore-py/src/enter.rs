//! The gate: the only way from Python into a kernel.
//!
//! It releases the GIL, runs the kernel on the process-local pool, looks for signals while it waits, and turns errors
//! and panics into exceptions. Work that ends sooner than a thread could be woken runs where it is called.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use gancore_kernels::error::{Error, Result, guard};
use gancore_kernels::pool::{self, Interrupt};
use pyo3::prelude::*;

use crate::error::ToPython;

/// How often the waiting thread looks for signals: Ctrl-C must be heard within 100 ms.
const LOOK: Duration = Duration::from_millis(50);

/// Elementary operations that surely take less than a millisecond.
const QUICK: usize = 1 << 16;

/// Run a kernel of about `work` elementary operations that polls the interrupt it is given.
pub fn enter<T: Send>(
    py: Python<'_>,
    work: usize,
    kernel: impl FnOnce(&Interrupt) -> Result<T> + Send,
) -> PyResult<T> {
    let interrupt = Interrupt::new();
    if work <= QUICK {
        return py.detach(|| guard(|| kernel(&interrupt))).to_python();
    }
    let pool = pool::current().to_python()?;
    py.detach(|| {
        let (send, receive) = channel();
        pool.in_place_scope(|scope| {
            let interrupt = &interrupt;
            scope.spawn(move |_| drop(send.send(guard(|| kernel(interrupt)))));
            // The scope ends only when the kernel has: it is told to stop, and its borrows stay valid meanwhile.
            wait(&receive, interrupt)
        })
    })
}

/// Run a kernel that owns its data and cannot poll, such as one call of dense linear algebra.
///
/// On Ctrl-C the caller is released at once; the kernel runs on to its end, and its result is dropped.
pub fn enter_owned<T: Send + 'static>(
    py: Python<'_>,
    work: usize,
    kernel: impl FnOnce(&Interrupt) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    if work <= QUICK {
        return py.detach(|| guard(|| kernel(&Interrupt::new()))).to_python();
    }
    let pool = pool::current().to_python()?;
    let interrupt = Arc::new(Interrupt::new());
    let (send, receive) = channel();
    let seen = Arc::clone(&interrupt);
    pool.spawn(move || drop(send.send(guard(|| kernel(&seen)))));
    py.detach(move || wait(&receive, &interrupt))
}

#[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is not general enough")]
fn wait<T: Send>(receive: &Receiver<Result<T>>, interrupt: &Interrupt) -> PyResult<T> {
    loop {
        match receive.recv_timeout(LOOK) {
            Ok(result) => return result.to_python(),
            Err(RecvTimeoutError::Timeout) => {
                if let Err(signal) = Python::attach(|py| py.check_signals()) {
                    interrupt.raise();
                    return Err(signal);
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::Backend("the kernel's thread ended without a result".into())).to_python();
            }
        }
    }
}
