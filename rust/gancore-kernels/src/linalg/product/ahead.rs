//! What comes next is fetched while what is there is multiplied: tiles come from memory that all cores share.

use super::{Factor, Packed};

/// Bytes of a line of the caches.
pub(super) const LINE: usize = 64;

/// The next stretch of two tiles, a share of it for each corner of the present one.
pub(super) struct Ahead<'a, P> {
    left: [&'a [P]; 2],
    shares: [usize; 2],
}

impl<'a, P: Factor> Ahead<'a, P> {
    /// Of the stretch after that from `from` on, for about so many corners.
    #[inline(always)]
    pub fn new(x: &'a Packed<P>, y: &'a Packed<P>, from: usize, corners: usize) -> Self {
        let left = [x.after(from), if std::ptr::eq(x, y) { &[] } else { y.after(from) }];
        let line = LINE / size_of::<P>();
        Self { left, shares: left.map(|numbers| numbers.len().div_ceil(corners).next_multiple_of(line)) }
    }

    /// Ask for the next share.
    #[inline(always)]
    pub fn step(&mut self) {
        for (left, share) in self.left.iter_mut().zip(self.shares) {
            let (now, later) = left.split_at(share.min(left.len()));
            for line in now.chunks(LINE / size_of::<P>()) {
                fetch(line.as_ptr());
            }
            *left = later;
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn fetch<P>(line: *const P) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: part of every x86-64; a hint, which never faults and changes no value.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) }
}

#[cfg(not(target_arch = "x86_64"))]
fn fetch<P>(_: *const P) {}
