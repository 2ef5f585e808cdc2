//! wasserstein
