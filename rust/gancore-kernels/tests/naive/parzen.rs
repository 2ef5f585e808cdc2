//! The definition, pair by pair.

pub fn log_likelihood(samples: &[f64], points: &[f64], dim: usize, bandwidth: f64) -> Vec<f64> {
    let n = samples.len() / dim;
    points
        .chunks(dim)
        .map(|x| {
            let logs: Vec<f64> = samples
                .chunks(dim)
                .map(|s| {
                    let square: f64 = x.iter().zip(s).map(|(a, b)| (a - b) * (a - b)).sum();
                    -square / (2.0 * bandwidth * bandwidth)
                })
                .collect();
            let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = logs.iter().map(|l| (l - largest).exp()).sum();
            let normaliser = 0.5 * (std::f64::consts::TAU * bandwidth * bandwidth).ln();
            largest + (sum / n as f64).ln() - dim as f64 * normaliser
        })
        .collect()
}
