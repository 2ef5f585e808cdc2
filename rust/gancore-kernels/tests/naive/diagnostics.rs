//! The diagnostics of one quantity, term by term: `chains[c][t]`.

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn variance(x: &[f64]) -> f64 {
    let centre = mean(x);
    x.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / (x.len() - 1) as f64
}

fn halves(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let half = chains[0].len() / 2;
    chains.iter().flat_map(|c| [c[..half].to_vec(), c[c.len() - half..].to_vec()]).collect()
}

fn within_and_total(halves: &[Vec<f64>]) -> (f64, f64) {
    let n = halves[0].len() as f64;
    let within = mean(&halves.iter().map(|h| variance(h)).collect::<Vec<_>>());
    let means: Vec<f64> = halves.iter().map(|h| mean(h)).collect();
    (within, (n - 1.0) / n * within + variance(&means))
}

pub fn r_hat(chains: &[Vec<f64>]) -> f64 {
    let (within, total) = within_and_total(&halves(chains));
    (total / within).sqrt()
}

pub fn effective_sample_size(chains: &[Vec<f64>]) -> f64 {
    let halves = halves(chains);
    let (within, total) = within_and_total(&halves);
    let n = halves[0].len();
    let correlation = |t: usize| {
        let covariance = halves.iter().map(|h| {
            let centre = mean(h);
            (t..n).map(|i| (h[i] - centre) * (h[i - t] - centre)).sum::<f64>() / (n - 1) as f64
        });
        1.0 - (within - covariance.sum::<f64>() / halves.len() as f64) / total
    };
    let (mut sum, mut least) = (0.0, f64::INFINITY);
    for k in 0..n / 2 {
        let pair = correlation(2 * k) + correlation(2 * k + 1);
        if pair < 0.0 {
            break;
        }
        least = least.min(pair);
        sum += least;
    }
    let draws = (n * halves.len()) as f64;
    draws / (2.0 * sum - 1.0).max(1.0 / draws.log10())
}

pub fn nested_r_hat(chains: &[Vec<f64>], superchains: usize) -> f64 {
    let groups: Vec<&[Vec<f64>]> = chains.chunks(chains.len() / superchains).collect();
    let or_zero = |x: &[f64]| if x.len() > 1 { variance(x) } else { 0.0 };
    let means: Vec<Vec<f64>> = groups.iter().map(|g| g.iter().map(|c| mean(c)).collect()).collect();
    let within: Vec<f64> = groups
        .iter()
        .zip(&means)
        .map(|(g, m)| or_zero(m) + mean(&g.iter().map(|c| or_zero(c)).collect::<Vec<_>>()))
        .collect();
    let between = variance(&means.iter().map(|m| mean(m)).collect::<Vec<_>>());
    (1.0 + between / mean(&within)).sqrt()
}
