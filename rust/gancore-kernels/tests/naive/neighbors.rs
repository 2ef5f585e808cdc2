//! Every distance, sorted or compared.

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

pub fn knn_distances(x: &[Vec<f64>], k: usize) -> Vec<f64> {
    let mut out = Vec::new();
    for (i, a) in x.iter().enumerate() {
        let mut row: Vec<f64> =
            x.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, b)| distance(a, b)).collect();
        row.sort_by(f64::total_cmp);
        out.extend_from_slice(&row[..k]);
    }
    out
}

/// For each ball how many rows it holds, for each row how many balls hold it.
pub fn ball_counts(centers: &[Vec<f64>], radii: &[f64], rows: &[Vec<f64>]) -> (Vec<i64>, Vec<i64>) {
    let (mut holds, mut held) = (vec![0; centers.len()], vec![0; rows.len()]);
    for (i, (center, &radius)) in centers.iter().zip(radii).enumerate() {
        for (j, row) in rows.iter().enumerate() {
            if distance(center, row) <= radius {
                holds[i] += 1;
                held[j] += 1;
            }
        }
    }
    (holds, held)
}
