//! Threads: process-local rayon pools that survive `fork`, and the request to stop.
//!
//! rayon's global pool hangs for ever when it is used in a forked child (its threads did not survive the fork), and
//! a `DataLoader` worker on Linux is such a child. So pools are kept in a lock-free list by process id and size: a
//! child finds none of its own and builds one. Pools are never dropped, for a child must not join threads that it does
//! not have; idle threads are parked. Kernels go parallel through [`map_indexed`] and [`for_each_chunk_mut`] alone.

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::error::{Error, Result};

struct Entry {
    process: u32,
    threads: usize,
    pool: rayon::ThreadPool,
    next: *mut Entry,
}

static POOLS: AtomicPtr<Entry> = AtomicPtr::new(std::ptr::null_mut());
static REQUESTED: AtomicUsize = AtomicUsize::new(0);

/// Read `GANCORE_NUM_THREADS`, once, when the library is loaded.
pub fn configure_from_environment() -> Result<()> {
    match std::env::var("GANCORE_NUM_THREADS") {
        Ok(value) => match value.trim().parse() {
            Ok(threads) if threads > 0 => {
                REQUESTED.store(threads, Ordering::Relaxed);
                Ok(())
            }
            _ => Err(Error::Config {
                variable: "GANCORE_NUM_THREADS",
                expected: "a positive integer",
                got: value,
            }),
        },
        Err(_) => Ok(()),
    }
}

/// How many threads kernels use: what was set, or else what the process may run on.
pub fn num_threads() -> usize {
    match REQUESTED.load(Ordering::Relaxed) {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    }
}

/// Set how many threads kernels use from now on.
pub fn set_num_threads(threads: usize) -> Result<()> {
    if threads == 0 {
        return Err(Error::domain("threads", "be at least 1", "0"));
    }
    REQUESTED.store(threads, Ordering::Relaxed);
    Ok(())
}

fn find(from: *mut Entry, process: u32, threads: usize) -> Option<&'static rayon::ThreadPool> {
    let mut at = from;
    // SAFETY: entries are leaked when they are published, and never changed after, so every pointer in the list
    // stays valid for the life of the process and of its forks.
    while let Some(entry) = unsafe { at.as_ref() } {
        if entry.process == process && entry.threads == threads {
            return Some(&entry.pool);
        }
        at = entry.next;
    }
    None
}

/// The pool of this process with as many threads as are asked for now.
pub fn current() -> Result<&'static rayon::ThreadPool> {
    let (process, threads) = (std::process::id(), num_threads());
    if let Some(pool) = find(POOLS.load(Ordering::Acquire), process, threads) {
        return Ok(pool);
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("gancore-{i}"))
        .build()
        .map_err(|e| Error::Backend(format!("cannot start {threads} threads: {e}")))?;
    let entry: &'static mut Entry =
        Box::leak(Box::new(Entry { process, threads, pool, next: std::ptr::null_mut() }));
    let raw = std::ptr::from_mut(entry);
    let mut head = POOLS.load(Ordering::Acquire);
    loop {
        // SAFETY: `raw` is not published yet, so this thread alone can see it.
        unsafe { (*raw).next = head };
        match POOLS.compare_exchange_weak(head, raw, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: published entries live for ever and are never changed.
            Ok(_) => return Ok(unsafe { &(*raw).pool }),
            Err(now) => head = now,
        }
    }
}

/// Apply `f` to 0..n on the pool; results in order. Below `serial_below` indices it runs on the calling thread.
pub fn map_indexed<T: Send>(
    n: usize,
    serial_below: usize,
    f: impl Fn(usize) -> T + Sync + Send,
) -> Result<Vec<T>> {
    if n < serial_below.max(2) || num_threads() == 1 {
        return Ok((0..n).map(f).collect());
    }
    Ok(current()?.install(|| (0..n).into_par_iter().map(f).collect()))
}

/// Apply `f` to the index and contents of each chunk of `data` on the pool. The chunks do not depend on the number
/// of threads, so neither do the results; of several errors the one of the lowest index is returned.
pub fn for_each_chunk_mut<T: Send>(
    data: &mut [T],
    chunk: usize,
    f: impl Fn(usize, &mut [T]) -> Result<()> + Sync + Send,
) -> Result<()> {
    let chunk = chunk.max(1);
    if data.len() <= chunk || num_threads() == 1 {
        return data.chunks_mut(chunk).enumerate().try_for_each(|(i, c)| f(i, c));
    }
    let outcomes: Vec<Result<()>> =
        current()?.install(|| data.par_chunks_mut(chunk).enumerate().map(|(i, c)| f(i, c)).collect());
    outcomes.into_iter().collect()
}

/// A request to stop, shared between the caller who may raise it and the kernel that polls it.
#[derive(Debug, Default)]
pub struct Interrupt(AtomicBool);

impl Interrupt {
    /// A request that nobody has raised.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Ask the kernel to stop.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// [`Error::Interrupted`] if the kernel was asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_in_order_on_any_number_of_threads() {
        let expected: Vec<_> = (0..1000).map(|i| i * i).collect();
        for threads in [1, 2, 3] {
            set_num_threads(threads).unwrap();
            assert_eq!(map_indexed(1000, 1, |i| i * i).unwrap(), expected);
        }
    }

    #[test]
    fn a_pool_is_built_once_for_each_size() {
        set_num_threads(2).unwrap();
        assert!(std::ptr::eq(current().unwrap(), current().unwrap()));
    }

    #[test]
    fn zero_threads_are_refused() {
        assert!(matches!(set_num_threads(0), Err(Error::Domain { argument: "threads", .. })));
    }
}
