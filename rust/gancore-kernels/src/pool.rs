//! Threads: process-local rayon pools that survive `fork`, and the request to stop.
//!
//! rayon's global pool hangs for ever when it is used in a forked child (its threads did not survive the fork), and
//! a `DataLoader` worker on Linux is such a child. So pools are kept in a lock-free list by process id and size: a
//! child finds none of its own and builds one. Pools are never dropped, for a child must not join threads that it does
//! not have; idle threads are parked. Kernels go parallel through [`map_indexed`] and [`for_each_chunk_mut`] alone.

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use rayon::iter::{IntoParallelIterator, ParallelIterator};

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

/// The start of an array whose elements are shared out to tasks, each to one of them alone.
struct Start<T>(*mut T);

// SAFETY: a task reaches only the elements that are its own, so what threads share is the address.
unsafe impl<T: Send> Sync for Start<T> {}

/// Call `f` with each of 0..n on the pool.
fn share_out(n: usize, f: &(dyn Fn(usize) + Sync)) -> Result<()> {
    current()?.install(|| (0..n).into_par_iter().for_each(f));
    Ok(())
}

// The two doors below take their closure by reference to `dyn`: rayon's splitting and stealing, and the loop without
// it, compiled anew for each closure and each with a copy of its body, would be a third of the library.

/// Apply `f` to 0..n on the pool; results in order. Below `serial_below` indices it runs on the calling thread.
pub fn map_indexed<T: Send>(n: usize, serial_below: usize, f: impl Fn(usize) -> T + Sync) -> Result<Vec<T>> {
    map_shared(n, serial_below, &f)
}

fn map_shared<T: Send>(n: usize, serial_below: usize, f: &(dyn Fn(usize) -> T + Sync)) -> Result<Vec<T>> {
    if n < serial_below.max(2) || num_threads() == 1 {
        return Ok((0..n).map(f).collect());
    }
    let mut results: Vec<Option<T>> = (0..n).map(|_| None).collect();
    let start = Start(results.as_mut_ptr());
    share_out(n, &|i| {
        let start = &start;
        // SAFETY: `i` < n, each index is given out once, and `results` is neither moved nor read before the end.
        unsafe { *start.0.add(i) = Some(f(i)) };
    })?;
    Ok(results.into_iter().flatten().collect())
}

/// Apply `f` to the index and contents of each chunk of `data` on the pool. The chunks do not depend on the number
/// of threads, so neither do the results; of several errors the one of the lowest index is returned.
pub fn for_each_chunk_mut<T: Send>(
    data: &mut [T],
    chunk: usize,
    f: impl Fn(usize, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    let (len, chunk) = (data.len(), chunk.max(1));
    let start = Start(data.as_mut_ptr());
    try_each_shared(len.div_ceil(chunk), &|i| {
        let (start, from) = (&start, i * chunk);
        // SAFETY: `from` < len; chunks do not overlap, each goes to one task, and `data` is borrowed until the end.
        f(i, unsafe { std::slice::from_raw_parts_mut(start.0.add(from), chunk.min(len - from)) })
    })
}

fn try_each_shared(n: usize, f: &(dyn Fn(usize) -> Result<()> + Sync)) -> Result<()> {
    if n < 2 || num_threads() == 1 {
        return (0..n).try_for_each(f);
    }
    map_shared(n, 2, f)?.into_iter().collect()
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
    fn gives_each_chunk_to_one_task_and_reports_the_first_error() {
        for threads in [1, 2, 3] {
            set_num_threads(threads).unwrap();
            let mut data = vec![0; 1003];
            for_each_chunk_mut(&mut data, 10, |i, chunk| {
                for v in chunk {
                    *v += i + 1;
                }
                Ok(())
            })
            .unwrap();
            assert!(data.iter().enumerate().all(|(at, &v)| v == at / 10 + 1));
            let failed = for_each_chunk_mut(&mut data, 10, |i, _| {
                if i % 40 == 17 { Err(Error::Backend(i.to_string())) } else { Ok(()) }
            });
            assert!(matches!(failed, Err(Error::Backend(at)) if at == "17"));
        }
    }

    #[test]
    fn a_panic_in_a_task_reaches_the_caller() {
        set_num_threads(2).unwrap();
        let outcome = std::panic::catch_unwind(|| map_indexed(100, 1, |i| assert!(i != 57, "found")));
        assert!(outcome.is_err());
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
