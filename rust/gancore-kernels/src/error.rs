//! The one error of every kernel. Each variant says which argument, what was expected and what was got.

use std::panic::{AssertUnwindSafe, catch_unwind};

use thiserror::Error as ThisError;

/// What a kernel can refuse or fail at; the binding maps each variant to one Python exception.
#[derive(Debug, Clone, PartialEq, ThisError)]
pub enum Error {
    /// Lengths or axes that do not fit.
    #[error("`{argument}` must have {expected}; got {got}")]
    Shape {
        /// Name of the argument.
        argument: &'static str,
        /// What shape was expected.
        expected: String,
        /// What shape was got.
        got: String,
    },
    /// A value outside the domain: nan, negative mass, a setting out of range.
    #[error("`{argument}` must {expected}; got {got}")]
    Domain {
        /// Name of the argument.
        argument: &'static str,
        /// What was expected, as the end of a sentence that begins with "must".
        expected: String,
        /// The offending value and where it stands.
        got: String,
    },
    /// A matrix that must be positive semi-definite is not, beyond rounding.
    #[error("`{argument}` must be positive semi-definite; got {got}")]
    NotPositiveDefinite {
        /// Name of the argument.
        argument: &'static str,
        /// What shows it.
        got: String,
    },
    /// An iteration that did not reach its tolerance.
    #[error("{algorithm} did not converge: {got}")]
    Convergence {
        /// Name of the algorithm.
        algorithm: &'static str,
        /// How far it came.
        got: String,
    },
    /// The machine cannot do what was asked.
    #[error("{0}")]
    Backend(String),
    /// A setting of the environment that cannot be used.
    #[error("{variable} must be {expected}; got {got:?}")]
    Config {
        /// Name of the environment variable.
        variable: &'static str,
        /// What was expected.
        expected: &'static str,
        /// The value found.
        got: String,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Result of a kernel.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A [`Error::Shape`].
    pub fn shape(argument: &'static str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Shape { argument, expected: expected.into(), got: got.into() }
    }

    /// A [`Error::Domain`].
    pub fn domain(argument: &'static str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Domain { argument, expected: expected.into(), got: got.into() }
    }
}

/// Run a kernel so that a panic, which is always a bug, comes back as an error instead of unwinding into Python.
pub fn guard<T>(kernel: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(kernel)).unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(Error::Backend(format!("a bug in gancore, please report it: {what}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_says_what_it_said() {
        let index = std::hint::black_box(3);
        let outcome = guard(|| Ok([1, 2][index]));
        let Err(Error::Backend(message)) = outcome else { panic!("{outcome:?}") };
        assert!(message.contains("please report") && message.contains("index"), "{message}");
    }

    #[test]
    fn messages_name_argument_expectation_and_what_was_got() {
        let error = Error::domain("p", "be at least 1", "0.5 in row 3");
        assert_eq!(error.to_string(), "`p` must be at least 1; got 0.5 in row 3");
    }
}
