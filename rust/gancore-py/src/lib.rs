//! `gancore._rust`: the export list of the kernels. See `enter.rs` for the gate and `array.rs` for the checks.

mod array;
mod diagnostics;
mod divergence;
mod emd;
mod enter;
mod error;
mod frechet;
mod langevin;
mod mmd;
mod moments;
mod neighbors;
mod ngram;
mod parzen;
mod rollout;
mod wasserstein;

use pyo3::prelude::*;

/// Compiled kernels of gancore; the public functions are in `gancore.kernels`.
#[pymodule]
mod _rust {
    use pyo3::prelude::*;
    use pyo3::types::PyDict;

    use gancore_kernels::{pool, simd};

    #[pymodule_export]
    use super::diagnostics::{effective_sample_size, nested_r_hat, r_hat};
    #[pymodule_export]
    use super::divergence::{divergence, mutual_information};
    #[pymodule_export]
    use super::emd::{emd, emd_cost};
    use super::error::ToPython;
    #[pymodule_export]
    use super::frechet::{frechet_distance, frechet_distance_from_features, sqrtm_psd, trace_sqrt_product};
    #[pymodule_export]
    use super::langevin::{
        langevin_step, mixture_energy, mixture_gradient, mixture_langevin, mixture_sample,
        mixture_underdamped, mlp_langevin, mlp_value_and_grad, philox_normal, philox_uniform,
    };
    #[pymodule_export]
    use super::mmd::{mmd2, mmd2_subsets};
    #[pymodule_export]
    use super::moments::Moments;
    #[pymodule_export]
    use super::neighbors::{ball_counts, knn_distances};
    #[pymodule_export]
    use super::ngram::{ngram_counts, ngram_tally};
    #[pymodule_export]
    use super::parzen::parzen_log_likelihood;
    #[pymodule_export]
    use super::rollout::{lstm_rollout, sample_categorical, token_table_conv};
    #[pymodule_export]
    use super::wasserstein::{
        coupling_1d, cramer_distance, energy_distance, max_sliced_wasserstein, sliced_wasserstein,
        wasserstein_1d, wasserstein_circle,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        pool::configure_from_environment().to_python()?;
        simd::configure_from_environment().to_python()?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// How the library was built and what it runs on.
    #[pyfunction]
    fn build_info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let info = PyDict::new(py);
        info.set_item("version", env!("CARGO_PKG_VERSION"))?;
        info.set_item("profile", if cfg!(debug_assertions) { "debug" } else { "release" })?;
        info.set_item("instruction_set", simd::isa().name())?;
        info.set_item("threads", pool::num_threads())?;
        Ok(info)
    }

    /// How many threads kernels use.
    #[pyfunction]
    fn num_threads() -> usize {
        pool::num_threads()
    }

    /// Set how many threads kernels use from now on.
    #[pyfunction]
    fn set_num_threads(threads: usize) -> PyResult<()> {
        pool::set_num_threads(threads).to_python()
    }
}
