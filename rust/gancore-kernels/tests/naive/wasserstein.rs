//! Both samples expanded to a common number of atoms, sorted and matched one by one.

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
