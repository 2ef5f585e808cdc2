//! Squared maximum mean discrepancy (MMD) of two samples, with its standard error, and over subsets.
//!
//! ```text
//! MMD^2   = E k(x, x') + E k(y, y') - 2 E k(x, y)                     Gretton et al. 2012, eq. 2
//! unbiased: means over i != j within a sample; biased: over all i, j  Gretton et al. 2012, eqs. 3 and 5
//!
//! polynomial          k = (gamma x.y + c)^p          KID: gamma = 1/d, c = 1, p = 3; Binkowski et al. 2018, section 4
//! rbf                 k = sum_s exp(-|x - y|^2 / 2 s^2)               Li et al. 2017, section 5
//! rational quadratic  k = sum_a (1 + |x - y|^2 / 2 a)^-a              Binkowski et al. 2018, eq. 11
//! ```
//!
//! The variance of the unbiased estimate U from n and m samples is that of its Hoeffding decomposition, exact for n != m
//! too (Hoeffding 1948, eqs. 5.13 and 5.18; Sutherland et al. 2017, appendix A, treats paired samples, n = m):
//!
//! ```text
//! Var U = 4/n Var(a(x) - c(x)) + 4/m Var(b(y) - c'(y))
//!         + 2/(n(n-1)) E a2^2 + 2/(m(m-1)) E b2^2 + 4/(nm) E c2^2
//! a(x) = E k(x, x'), b(y) = E k(y, y'), c(x) = E k(x, y), c'(y) = E k(x, y), given the argument;
//! a2, b2, c2: the kernel on each pair of samples without its mean given either argument and twice without (doubly centred).
//! ```
//!
//! Each moment in it is estimated without bias from row sums e_i, f_i and sums of squares Q over distinct indices, so
//! that the whole is unbiased: E k k' by (sum e_i^2 - Q)/(n(n-1)(n-2)), (E k)^2 by
//! (S^2 - 4 sum e_i^2 + 2 Q)/(n(n-1)(n-2)(n-3)), and so on.
//!
//! MMD does not change when a constant is subtracted from the kernel, so that of the centre is: sums keep their digits.
//! Products are taken of rows minus the centre of both samples, x.y = (x-u).(y-u) + x.u + y.u - u.u, the last three
//! terms in float64. For the polynomial kernel of float32 rows the first is a float32 product, of samples too many for
//! float64 to be quick: its rounding errors have no common sign, and what is left of them in a mean over n m pairs is
//! far below 1e-9 of the kernel. Everything else is float64. The same bits come out on any number of threads.

use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::linalg::product::Factor;
use crate::pool::{self, Interrupt};

mod kernel;
mod pairs;
mod problem;
mod variance;

pub use kernel::Kernel;
use problem::{Problem, Rooms};

/// So many samples, of both together, are few: their products are float64 whatever their type.
const FEW: usize = 1024;

/// Two samples, row after row of length d, and the kernel.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a, T> {
    /// Rows of the first sample.
    pub x: &'a [T],
    /// Rows of the second sample.
    pub y: &'a [T],
    /// Length of a row.
    pub d: usize,
    /// The kernel.
    pub kernel: &'a Kernel,
    /// Leave each sample's pair with itself out of the means.
    pub unbiased: bool,
}

/// MMD^2 of all pairs, and the standard error of the unbiased estimate (nan below 4 samples on a side).
pub fn mmd2<T: Factor>(samples: Samples<'_, T>, interrupt: &Interrupt) -> Result<(f64, f64)> {
    let problem = Problem::new(&samples, interrupt)?;
    let few = samples.x.len() + samples.y.len() <= FEW * samples.d;
    let sums = problem.sums(None, few, &mut Rooms::default(), interrupt)?;
    problem.finite(sums.mmd2(samples.unbiased))?;
    Ok((sums.mmd2(samples.unbiased), variance::of_unbiased(&sums).sqrt()))
}

/// MMD^2 of pairs of subsets, given by the indices of their rows, all of `size`.
pub fn mmd2_subsets<T: Factor>(
    samples: Samples<'_, T>,
    x_rows: &[i64],
    y_rows: &[i64],
    size: usize,
    interrupt: &Interrupt,
) -> Result<Vec<f64>> {
    let problem = Problem::new(&samples, interrupt)?;
    if size < 2 {
        return Err(Error::domain("size", "be at least 2", size.to_string()));
    }
    if x_rows.len() != y_rows.len() || !x_rows.len().is_multiple_of(size) {
        return Err(Error::shape(
            "y_rows",
            format!("{} indices in rows of {size}", x_rows.len()),
            y_rows.len().to_string(),
        ));
    }
    let indices = |argument, rows: &[i64], n: usize| -> Result<Vec<usize>> {
        rows.iter()
            .map(|&row| match usize::try_from(row) {
                Ok(row) if row < n => Ok(row),
                _ => Err(Error::domain(argument, format!("be from 0 to {}", n - 1), row.to_string())),
            })
            .collect()
    };
    let x_rows = indices("x_rows", x_rows, problem.x.len())?;
    let y_rows = indices("y_rows", y_rows, problem.y.len())?;
    let free = Mutex::new(Vec::<Rooms>::new());
    let free = || free.lock().unwrap_or_else(PoisonError::into_inner);
    let values = pool::map_indexed(x_rows.len() / size, 2, |subset| {
        let span = subset * size..(subset + 1) * size;
        let mut rooms = free().pop().unwrap_or_default();
        let sums =
            problem.sums(Some([&x_rows[span.clone()], &y_rows[span]]), false, &mut rooms, interrupt)?;
        free().push(rooms);
        problem.finite(sums.mmd2(samples.unbiased))
    })?;
    values.into_iter().collect()
}
