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

use crate::error::{Error, Result};
use crate::linalg::product::{self, Factor, Rows, Shifted, TILE};
use crate::num::{self, Compensated, Real};
use crate::pool::{self, Interrupt};
use crate::simd::{self, LANES};

mod variance;

/// So many samples, of both together, are few: their products are float64 whatever their type.
const FEW: usize = 1024;

/// Tasks whose sums are kept before they are added up.
const ROUND: usize = 256;

/// A positive definite kernel.
#[derive(Debug, Clone, PartialEq)]
pub enum Kernel {
    /// (gamma x.y + coef0)^degree
    Polynomial {
        /// Exponent, at least 1.
        degree: u32,
        /// Factor of the inner product.
        gamma: f64,
        /// What is added to it.
        coef0: f64,
    },
    /// Sum over bandwidths s of exp(-|x - y|^2 / 2 s^2).
    Rbf(Vec<f64>),
    /// Sum over exponents a of (1 + |x - y|^2 / 2 a)^-a.
    RationalQuadratic(Vec<f64>),
}

impl Kernel {
    /// Refuse parameters for which it is no kernel.
    fn check(&self) -> Result<()> {
        match self {
            Self::Polynomial { degree, gamma, coef0 } => {
                if *degree == 0 || *degree > 64 {
                    return Err(Error::domain("degree", "be from 1 to 64", degree.to_string()));
                }
                if !(*gamma > 0.0 && gamma.is_finite()) {
                    return Err(Error::domain("gamma", "be positive and finite", gamma.to_string()));
                }
                if !(*coef0 >= 0.0 && coef0.is_finite()) {
                    return Err(Error::domain("coef0", "be finite and not negative", coef0.to_string()));
                }
            }
            Self::Rbf(parameters) | Self::RationalQuadratic(parameters) => {
                if parameters.is_empty() {
                    return Err(Error::shape("bandwidth", "at least one number", "none"));
                }
                for (i, value) in parameters.iter().enumerate() {
                    if !(*value > 0.0 && value.is_finite()) {
                        return Err(Error::domain(
                            "bandwidth",
                            "be positive and finite",
                            format!("{value} at index {i}"),
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

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
    let sums = problem.sums(None, few, interrupt)?;
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
    let values = pool::map_indexed(x_rows.len() / size, 2, |subset| {
        let span = subset * size..(subset + 1) * size;
        let sums = problem.sums(Some([&x_rows[span.clone()], &y_rows[span]]), false, interrupt)?;
        problem.finite(sums.mmd2(samples.unbiased))
    })?;
    values.into_iter().collect()
}

/// Sums of the kernel within one sample: over other samples for each, its squares, and the diagonal's.
#[derive(Debug, Clone, Default)]
struct Within {
    /// For each i the sum over j != i.
    rows: Vec<f64>,
    /// Over i != j.
    squares: f64,
    /// Over i = j.
    diagonal: f64,
}

/// Sums of the kernel over the pairs of two samples.
#[derive(Debug, Clone, Default)]
struct Sums {
    x: Within,
    y: Within,
    /// For each x the sum over y.
    x_rows: Vec<f64>,
    /// For each y the sum over x.
    y_rows: Vec<f64>,
    /// Squares over all pairs.
    squares: f64,
}

impl Sums {
    fn mmd2(&self, unbiased: bool) -> f64 {
        let mean = |within: &Within| {
            let (n, off) = (within.rows.len() as f64, total(&within.rows));
            if unbiased { off / (n * (n - 1.0)) } else { (off + within.diagonal) / (n * n) }
        };
        let pairs = self.x_rows.len() as f64 * self.y_rows.len() as f64;
        mean(&self.x) + mean(&self.y) - 2.0 * total(&self.x_rows) / pairs
    }
}

fn total(values: &[f64]) -> f64 {
    let mut sum = Compensated::default();
    for &value in values {
        sum.add(value);
    }
    sum.value()
}

/// Samples checked and measured: what is common to all pairs and all subsets.
struct Problem<'a, T> {
    x: Rows<'a, T>,
    y: Rows<'a, T>,
    kernel: &'a Kernel,
    center: Vec<f64>,
    /// What a product with a row leaves out, for each row of x and of y; see [`terms`].
    x_terms: Vec<f64>,
    y_terms: Vec<f64>,
    /// Subtracted from the kernel.
    constant: f64,
    /// Whether float32 products are accurate enough.
    single: bool,
}

impl<'a, T: Factor> Problem<'a, T> {
    fn new(samples: &Samples<'a, T>, interrupt: &Interrupt) -> Result<Self> {
        let (d, kernel) = (samples.d, samples.kernel);
        kernel.check()?;
        let least = if samples.unbiased { 2 } else { 1 };
        let x = Rows::new("x", samples.x, d, least, interrupt)?;
        let y = Rows::new("y", samples.y, d, least, interrupt)?;
        let center = product::center(&x, &y, interrupt)?;
        let middle: f64 = center.iter().map(|c| c * c).sum();
        let terms = |rows: &Rows<'_, T>| -> Result<Vec<f64>> {
            let shifted = Shifted { rows, center: &center, scale: 1.0, chosen: None };
            let measured = shifted.squares_and_projections(interrupt)?;
            Ok(measured
                .into_iter()
                .map(|(square, projection)| match kernel {
                    Kernel::Polynomial { gamma, coef0, .. } => {
                        gamma * (projection - 0.5 * middle) + 0.5 * coef0
                    }
                    _ => square,
                })
                .collect())
        };
        let (x_terms, y_terms) = (terms(&x)?, terms(&y)?);
        let constant = match kernel {
            Kernel::Polynomial { degree, gamma, coef0 } => power(gamma * middle + coef0, *degree),
            _ => 0.0,
        };
        // Beyond these sizes products of float32 would overflow, or vanish.
        let largest = x.largest.max(y.largest);
        let single = T::UNIT > f64::UNIT
            && matches!(kernel, Kernel::Polynomial { .. })
            && largest < 1e15
            && largest > 1e-12;
        Ok(Self { x, y, kernel, center, x_terms, y_terms, constant, single })
    }

    fn finite(&self, value: f64) -> Result<f64> {
        if value.is_finite() {
            return Ok(value);
        }
        let largest = self.x.largest.max(self.y.largest);
        Err(Error::domain("x", "have finite kernel values with `y`", format!("features up to {largest:e}")))
    }

    /// Sums over all rows, or over chosen ones of each sample; `few` asks for float64 products.
    fn sums(&self, chosen: Option<[&[usize]; 2]>, few: bool, interrupt: &Interrupt) -> Result<Sums> {
        if self.single && !few {
            self.sums_of::<f32>(chosen, interrupt)
        } else {
            self.sums_of::<f64>(chosen, interrupt)
        }
    }

    fn sums_of<P: Factor>(&self, chosen: Option<[&[usize]; 2]>, interrupt: &Interrupt) -> Result<Sums> {
        match self.kernel {
            Kernel::Polynomial { degree, gamma, .. } => {
                let kernel = Polynomial { degree: *degree, gamma: *gamma, constant: self.constant };
                self.all_pairs::<P, _>(chosen, kernel, interrupt)
            }
            Kernel::Rbf(bandwidths) => {
                let rates: Vec<f64> = bandwidths.iter().map(|s| -0.5 / (s * s)).collect();
                self.all_pairs::<P, _>(chosen, Rbf(&rates), interrupt)
            }
            Kernel::RationalQuadratic(exponents) => {
                self.all_pairs::<P, _>(chosen, RationalQuadratic(exponents), interrupt)
            }
        }
    }

    fn all_pairs<P: Factor, K: Value>(
        &self,
        chosen: Option<[&[usize]; 2]>,
        kernel: K,
        interrupt: &Interrupt,
    ) -> Result<Sums> {
        let side = |rows, terms, chosen| Side {
            rows: Shifted { rows, center: &self.center, scale: 1.0, chosen },
            terms,
            kernel,
        };
        let x = side(&self.x, &self.x_terms, chosen.map(|c| c[0]));
        let y = side(&self.y, &self.y_terms, chosen.map(|c| c[1]));
        let (x_rows, y_rows, squares) = x.pairs::<P>(Some(&y), interrupt)?;
        Ok(Sums { x: x.within::<P>(interrupt)?, y: y.within::<P>(interrupt)?, x_rows, y_rows, squares })
    }
}

/// Rows of one sample, their terms, and the kernel.
struct Side<'a, T, K> {
    rows: Shifted<'a, T>,
    terms: &'a [f64],
    kernel: K,
}

/// Sums of one pair of blocks: by rows, by columns, of squares.
struct BlockSums(Vec<f64>, Vec<f64>, f64);

impl<T: Real, K: Value> Side<'_, T, K> {
    fn within<P: Factor>(&self, interrupt: &Interrupt) -> Result<Within> {
        let (mut rows, columns, squares) = self.pairs::<P>(None, interrupt)?;
        for (row, column) in rows.iter_mut().zip(columns) {
            *row += column;
        }
        let mut diagonal = Compensated::default();
        for position in 0..self.rows.len() {
            let i = self.rows.at(position);
            let square = self.rows.square(i);
            diagonal.add(self.kernel.value(square, self.terms[i], self.terms[i]));
        }
        Ok(Within { rows, squares: 2.0 * squares, diagonal: diagonal.value() })
    }

    /// Sums over all pairs with another side; within this one if there is none, over i > j.
    fn pairs<P: Factor>(
        &self,
        other: Option<&Self>,
        interrupt: &Interrupt,
    ) -> Result<(Vec<f64>, Vec<f64>, f64)> {
        let to = other.unwrap_or(self);
        let tasks: Vec<(usize, usize)> = (0..self.rows.blocks())
            .flat_map(|i| (0..if other.is_some() { to.rows.blocks() } else { i + 1 }).map(move |j| (i, j)))
            .collect();
        let (mut rows, mut columns) = (vec![0.0; self.rows.len()], vec![0.0; to.rows.len()]);
        let mut squares = Compensated::default();
        for round in tasks.chunks(ROUND) {
            let outcomes = pool::map_indexed(round.len(), 2, |task| {
                let (i, j) = round[task];
                self.block::<P>(i, to, j, other.is_none() && i == j, interrupt)
            })?;
            for (&(i, j), outcome) in round.iter().zip(outcomes) {
                let BlockSums(by_row, by_column, square) = outcome?;
                for (sum, value) in rows[self.rows.span(i)].iter_mut().zip(by_row) {
                    *sum += value;
                }
                for (sum, value) in columns[to.rows.span(j)].iter_mut().zip(by_column) {
                    *sum += value;
                }
                squares.add(square);
            }
        }
        Ok((rows, columns, squares.value()))
    }

    fn block<P: Factor>(
        &self,
        i: usize,
        to: &Self,
        j: usize,
        triangle: bool,
        interrupt: &Interrupt,
    ) -> Result<BlockSums> {
        let d = self.rows.rows.dim();
        let (mut x, mut y, mut values) = (Vec::<P>::new(), Vec::<P>::new(), Vec::<P>::new());
        self.rows.block(i, &mut x);
        if !triangle {
            to.rows.block(j, &mut y);
        }
        let y = if triangle { &x } else { &y };
        let terms = |side: &Self, block| -> Vec<f64> {
            side.rows.span(block).map(|position| side.terms[side.rows.at(position)]).collect()
        };
        let (x_terms, y_terms) = (terms(self, i), terms(to, j));
        let mut sums = BlockSums(vec![0.0; x_terms.len()], vec![0.0; y_terms.len()], 0.0);
        let mut squares = Compensated::default();
        for (a, x) in x.chunks(TILE * d).enumerate() {
            for (b, y) in y.chunks(TILE * d).enumerate().take(if triangle { a + 1 } else { usize::MAX }) {
                interrupt.check()?;
                let lower = triangle && a == b;
                if lower {
                    product::lower_tile(x, d, &mut values);
                } else {
                    product::tile(x, y, d, &mut values);
                }
                let (from, width) = (a * TILE, y.len() / d);
                squares.add(simd::dispatch(TileSums {
                    kernel: self.kernel,
                    values: &values,
                    lower,
                    x_terms: &x_terms[from..from + x.len() / d],
                    y_terms: &y_terms[b * TILE..b * TILE + width],
                    by_row: &mut sums.0[from..from + x.len() / d],
                    by_column: &mut sums.1[b * TILE..b * TILE + width],
                }));
            }
        }
        sums.2 = squares.value();
        Ok(sums)
    }
}

/// A kernel as a function of the product of two moved rows and a term of each.
trait Value: Copy + Send + Sync {
    /// Values of one row with several.
    fn values(self, products: [f64; LANES], x: f64, y: [f64; LANES]) -> [f64; LANES];

    /// One value.
    #[inline(always)]
    fn value(self, product: f64, x: f64, y: f64) -> f64 {
        self.values([product; LANES], x, [y; LANES])[0]
    }
}

#[derive(Clone, Copy)]
struct Polynomial {
    degree: u32,
    gamma: f64,
    constant: f64,
}

impl Value for Polynomial {
    #[inline(always)]
    fn values(self, products: [f64; LANES], x: f64, y: [f64; LANES]) -> [f64; LANES] {
        let mut base = [0.0; LANES];
        for l in 0..LANES {
            base[l] = self.gamma * products[l] + (x + y[l]);
        }
        let mut value = base;
        if self.degree == 3 {
            for l in 0..LANES {
                value[l] = base[l] * base[l] * base[l];
            }
        } else {
            for _ in 1..self.degree {
                for l in 0..LANES {
                    value[l] *= base[l];
                }
            }
        }
        for l in 0..LANES {
            value[l] -= self.constant;
        }
        value
    }
}

fn power(base: f64, degree: u32) -> f64 {
    (1..degree).fold(base, |value, _| value * base)
}

#[derive(Clone, Copy)]
struct Rbf<'a>(&'a [f64]);

impl Value for Rbf<'_> {
    #[inline(always)]
    fn values(self, products: [f64; LANES], x: f64, y: [f64; LANES]) -> [f64; LANES] {
        let squares = squared_distances(products, x, y);
        let mut value = [0.0; LANES];
        for &rate in self.0 {
            for l in 0..LANES {
                value[l] += num::exp(squares[l] * rate);
            }
        }
        value
    }
}

#[derive(Clone, Copy)]
struct RationalQuadratic<'a>(&'a [f64]);

impl Value for RationalQuadratic<'_> {
    #[inline(always)]
    fn values(self, products: [f64; LANES], x: f64, y: [f64; LANES]) -> [f64; LANES] {
        let squares = squared_distances(products, x, y);
        let mut value = [0.0; LANES];
        for &a in self.0 {
            let over = 0.5 / a;
            for l in 0..LANES {
                value[l] += num::exp(-a * num::ln_normal(1.0 + squares[l] * over));
            }
        }
        value
    }
}

#[inline(always)]
fn squared_distances(products: [f64; LANES], x: f64, y: [f64; LANES]) -> [f64; LANES] {
    let mut squares = [0.0; LANES];
    for l in 0..LANES {
        let square = (x + y[l]) - 2.0 * products[l];
        squares[l] = if square > 0.0 { square } else { 0.0 };
    }
    squares
}

/// Adds a tile's kernel values by rows and by columns; run, the sum of their squares. Of a lower tile, what is below
/// the diagonal.
struct TileSums<'a, P, K> {
    kernel: K,
    values: &'a [P],
    lower: bool,
    x_terms: &'a [f64],
    y_terms: &'a [f64],
    by_row: &'a mut [f64],
    by_column: &'a mut [f64],
}

impl<P: Real, K: Value> simd::Op for TileSums<'_, P, K> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut squares = [0.0; LANES];
        for (i, ((row, &x), sum)) in
            self.values.chunks_exact(self.y_terms.len()).zip(self.x_terms).zip(self.by_row).enumerate()
        {
            let width = if self.lower { i } else { row.len() };
            let (row, rest) = row[..width].as_chunks::<LANES>();
            let (terms, rest_terms) = self.y_terms[..width].as_chunks::<LANES>();
            let (columns, rest_columns) = self.by_column[..width].as_chunks_mut::<LANES>();
            let mut sums = [0.0; LANES];
            for ((products, terms), columns) in row.iter().zip(terms).zip(columns) {
                let mut wide = [0.0; LANES];
                for l in 0..LANES {
                    wide[l] = products[l].into();
                }
                let values = self.kernel.values(wide, x, *terms);
                for l in 0..LANES {
                    sums[l] += values[l];
                    columns[l] += values[l];
                    squares[l] += values[l] * values[l];
                }
            }
            if !rest.is_empty() {
                let (mut wide, mut terms) = ([0.0; LANES], [0.0; LANES]);
                for l in 0..rest.len() {
                    wide[l] = rest[l].into();
                    terms[l] = rest_terms[l];
                }
                let values = self.kernel.values(wide, x, terms);
                for l in 0..rest.len() {
                    sums[l] += values[l];
                    rest_columns[l] += values[l];
                    squares[l] += values[l] * values[l];
                }
            }
            *sum += ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
        }
        squares.iter().sum()
    }
}
