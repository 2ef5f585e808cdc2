//! Both samples expanded to a common number of atoms, sorted and matched one by one, or all pairs.

pub fn wasserstein_1d(x: &[f64], y: &[f64], p: f64) -> f64 {
    let repeat = |points: &[f64], times: usize| {
        let mut atoms: Vec<f64> = points.iter().flat_map(|&v| std::iter::repeat_n(v, times)).collect();
        atoms.sort_by(f64::total_cmp);
        atoms
    };
    let (x_atoms, y_atoms) = (repeat(x, y.len()), repeat(y, x.len()));
    let costs: Vec<f64> = x_atoms.iter().zip(&y_atoms).map(|(a, b)| (a - b).abs()).collect();
    if p == f64::INFINITY {
        return costs.into_iter().fold(0.0, f64::max);
    }
    (costs.iter().map(|c| c.powf(p)).sum::<f64>() / costs.len() as f64).powf(1.0 / p)
}

pub fn wasserstein_circle(x: &[f64], y: &[f64], p: f64, period: f64) -> f64 {
    let wrapped = |points: &[f64]| points.iter().map(|v| v.rem_euclid(period)).collect::<Vec<_>>();
    let repeat = |points: &[f64], times: usize| {
        let mut atoms: Vec<f64> = points.iter().flat_map(|&v| std::iter::repeat_n(v, times)).collect();
        atoms.sort_by(f64::total_cmp);
        atoms
    };
    let (x_atoms, y_atoms) = (repeat(&wrapped(x), y.len()), repeat(&wrapped(y), x.len()));
    let n = x_atoms.len();
    let lifted: Vec<f64> =
        [-period, 0.0, period].iter().flat_map(|lap| y_atoms.iter().map(move |v| v + lap)).collect();
    let along = |turn: usize| {
        let costs = x_atoms.iter().zip(&lifted[turn..]).map(|(a, b)| (a - b).abs());
        if p == f64::INFINITY {
            costs.fold(0.0, f64::max)
        } else {
            (costs.map(|c| c.powf(p)).sum::<f64>() / n as f64).powf(1.0 / p)
        }
    };
    (0..=2 * n).map(along).fold(f64::INFINITY, f64::min)
}

pub fn cramer_distance(x: &[f64], y: &[f64]) -> f64 {
    let mut points: Vec<f64> = x.iter().chain(y).copied().collect();
    points.sort_by(f64::total_cmp);
    let below =
        |sample: &[f64], t: f64| sample.iter().filter(|&&v| v <= t).count() as f64 / sample.len() as f64;
    let gaps = points.windows(2).map(|gap| (below(x, gap[0]) - below(y, gap[0])).powi(2) * (gap[1] - gap[0]));
    gaps.sum::<f64>().sqrt()
}

pub fn energy_distance(x: &[f64], y: &[f64], dim: usize) -> f64 {
    let mean = |a: &[f64], b: &[f64]| {
        let (mut sum, mut count) = (0.0, 0);
        for v in a.chunks(dim) {
            for w in b.chunks(dim) {
                sum += v.iter().zip(w).map(|(v, w)| (v - w).powi(2)).sum::<f64>().sqrt();
                count += 1;
            }
        }
        sum / f64::from(count)
    };
    (2.0 * mean(x, y) - mean(x, x) - mean(y, y)).max(0.0).sqrt()
}
