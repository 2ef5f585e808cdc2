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

// The gate behind the two doors sees kernels as `dyn`: their bodies and the waiting are compiled once, not for each
// door and each result.

/// Run a kernel of about `work` elementary operations that polls the interrupt it is given.
pub fn enter<T: Send>(
    py: Python<'_>,
    work: usize,
    kernel: impl FnOnce(&Interrupt) -> Result<T> + Send,
) -> PyResult<T> {
    let interrupt = Interrupt::new();
    let mut result = None;
    let mut kernel = Some(kernel);
    run(py, work, &interrupt, &mut || result = kernel.take().map(|kernel| guard(|| kernel(&interrupt))))?;
    result.unwrap_or_else(|| Err(no_result())).to_python()
}

fn run(py: Python<'_>, work: usize, interrupt: &Interrupt, task: &mut (dyn FnMut() + Send)) -> PyResult<()> {
    if work <= QUICK {
        py.detach(task);
        return Ok(());
    }
    let pool = pool::current().to_python()?;
    py.detach(|| {
        let (done, ended) = channel();
        pool.in_place_scope(|scope| {
            scope.spawn(move |_| {
                task();
                drop(done);
            });
            // The scope ends only when the kernel has: it is told to stop, and its borrows stay valid meanwhile.
            wait(&ended, interrupt)
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
    let (send, receive) = channel();
    let interrupt = Arc::new(Interrupt::new());
    let seen = Arc::clone(&interrupt);
    run_owned(py, work, &interrupt, Box::new(move || drop(send.send(guard(|| kernel(&seen))))))?;
    receive.try_recv().unwrap_or_else(|_| Err(no_result())).to_python()
}

fn run_owned(
    py: Python<'_>,
    work: usize,
    interrupt: &Interrupt,
    task: Box<dyn FnOnce() + Send>,
) -> PyResult<()> {
    if work <= QUICK {
        py.detach(task);
        return Ok(());
    }
    let pool = pool::current().to_python()?;
    let (done, ended) = channel();
    pool.spawn(move || {
        task();
        drop(done);
    });
    py.detach(move || wait(&ended, interrupt))
}

/// Wait until the other end of the channel is gone, as it is when its task has ended, however it ended.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is not general enough")]
fn wait(ended: &Receiver<()>, interrupt: &Interrupt) -> PyResult<()> {
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
        if let Err(signal) = Python::attach(|py| py.check_signals()) {
            interrupt.raise();
            return Err(signal);
        }
    }
    Ok(())
}

fn no_result() -> Error {
    Error::Backend("the kernel's thread ended without a result".into())
}
