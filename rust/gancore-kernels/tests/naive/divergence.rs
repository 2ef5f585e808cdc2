//! The definitions, term by term.

fn normalized(masses: &[f64]) -> Vec<f64> {
    let sum: f64 = masses.iter().sum();
    masses.iter().map(|m| m / sum).collect()
}

pub fn kl(p: &[f64], q: &[f64]) -> f64 {
    let (p, q) = (normalized(p), normalized(q));
    p.iter().zip(&q).map(|(&p, &q)| if p == 0.0 { 0.0 } else { p * (p / q).ln() }).sum()
}

pub fn jensen_shannon(p: &[f64], q: &[f64]) -> f64 {
    let (p, q) = (normalized(p), normalized(q));
    let mean: Vec<f64> = p.iter().zip(&q).map(|(p, q)| 0.5 * (p + q)).collect();
    0.5 * kl(&p, &mean) + 0.5 * kl(&q, &mean)
}

pub fn total_variation(p: &[f64], q: &[f64]) -> f64 {
    let (p, q) = (normalized(p), normalized(q));
    0.5 * p.iter().zip(&q).map(|(p, q)| (p - q).abs()).sum::<f64>()
}

pub fn squared_hellinger(p: &[f64], q: &[f64]) -> f64 {
    let (p, q) = (normalized(p), normalized(q));
    p.iter().zip(&q).map(|(p, q)| (p.sqrt() - q.sqrt()) * (p.sqrt() - q.sqrt())).sum()
}

pub fn pearson(p: &[f64], q: &[f64]) -> f64 {
    let (p, q) = (normalized(p), normalized(q));
    p.iter().zip(&q).map(|(&p, &q)| if p == q { 0.0 } else { (p - q) * (p - q) / q }).sum()
}
