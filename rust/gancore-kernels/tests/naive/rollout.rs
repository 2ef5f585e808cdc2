//! The definitions, token by token.

/// Masses of the tokens that a law leaves, which sum to 1.
pub fn masses(logits: &[f64], temperature: f64, top_k: Option<usize>) -> Vec<f64> {
    let mut sorted = logits.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let least = top_k.map_or(f64::NEG_INFINITY, |k| sorted[k.min(sorted.len()) - 1]);
    let top = sorted[0];
    let weights: Vec<f64> =
        logits.iter().map(|&l| if l < least { 0.0 } else { ((l - top) / temperature).exp() }).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}

/// How far a uniform number lies outside what a token covers; 0 within.
pub fn miss(masses: &[f64], token: usize, uniform: f64) -> f64 {
    let before: f64 = masses[..token].iter().sum();
    (before - uniform).max(uniform - (before + masses[token])).max(0.0)
}

/// Features of a row of tokens: the largest rectified window of each map.
pub fn features(
    embedding: &[f32],
    depth: usize,
    (width, weight, bias): (usize, &[f32], &[f32]),
    row: &[i64],
) -> Vec<f64> {
    let maps = weight.chunks(depth * width).zip(bias);
    maps.map(|(map, &bias)| {
        let windows = row.windows(width).map(|window| {
            let mut sum = f64::from(bias);
            for (j, &token) in window.iter().enumerate() {
                for e in 0..depth {
                    sum += f64::from(map[e * width + j]) * f64::from(embedding[token as usize * depth + e]);
                }
            }
            sum
        });
        windows.fold(0.0, f64::max)
    })
    .collect()
}
