//! Kernels: their parameters, and their values from products.

use crate::error::{Error, Result};
use crate::num;
use crate::simd::LANES;

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
    pub(super) fn check(&self) -> Result<()> {
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

/// A kernel as a function of the product of two moved rows and a term of each.
pub(super) trait Value: Copy + Send + Sync {
    /// Values of one row with several.
    fn values(self, products: [f64; LANES], x: f64, y: [f64; LANES]) -> [f64; LANES];

    /// One value.
    #[inline(always)]
    fn value(self, product: f64, x: f64, y: f64) -> f64 {
        self.values([product; LANES], x, [y; LANES])[0]
    }
}

#[derive(Clone, Copy)]
pub(super) struct Polynomial {
    pub degree: u32,
    pub gamma: f64,
    pub constant: f64,
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

pub(super) fn power(base: f64, degree: u32) -> f64 {
    (1..degree).fold(base, |value, _| value * base)
}

#[derive(Clone, Copy)]
pub(super) struct Rbf<'a>(pub &'a [f64]);

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
pub(super) struct RationalQuadratic<'a>(pub &'a [f64]);

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
