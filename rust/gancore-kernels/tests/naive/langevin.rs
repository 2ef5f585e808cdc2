//! The definitions, number by number; Philox in wide integers, densities without logarithms taken apart.

pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (mut c, mut k) = (counter, key);
    for _ in 0..10 {
        let low = u128::from(c[0]) * 0xD251_1F53;
        let high = u128::from(c[2]) * 0xCD9E_8D57;
        c = [(high >> 32) as u32 ^ c[1] ^ k[0], high as u32, (low >> 32) as u32 ^ c[3] ^ k[1], low as u32];
        k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
    }
    c
}

fn words(seed: u64, stream: u32, step: u64, lane: u64, block: u32) -> [u32; 4] {
    let counter = [block, lane as u32, step as u32, (step >> 32) as u32 | (stream << 24)];
    philox(counter, [seed as u32, (seed >> 32) as u32])
}

fn unit(word: u32) -> f64 {
    (f64::from(word) + 0.5) / 4_294_967_296.0
}

pub fn uniform(seed: u64, stream: u32, step: u64, lane: u64) -> f64 {
    unit(words(seed, stream, step, lane, 0)[0])
}

pub fn normals(seed: u64, stream: u32, step: u64, lane: u64, dim: usize) -> Vec<f64> {
    (0..dim)
        .map(|j| {
            let words = words(seed, stream, step, lane, (j / 4) as u32);
            let (radius, angle) = (unit(words[j % 4 / 2 * 2]), unit(words[j % 4 / 2 * 2 + 1]));
            let angle = std::f64::consts::TAU * angle;
            (-2.0 * radius.ln()).sqrt() * if j % 2 == 0 { angle.cos() } else { angle.sin() }
        })
        .collect()
}

#[derive(Debug)]
pub struct Mixture {
    pub means: Vec<Vec<f64>>,
    pub stds: Vec<f64>,
    pub weights: Vec<f64>,
}

impl Mixture {
    pub fn energy(&self, x: &[f64]) -> f64 {
        let density: f64 = (0..self.stds.len())
            .map(|k| {
                let s = self.stds[k];
                let factor = |(x, mean): (&f64, &f64)| {
                    (-0.5 * ((x - mean) / s).powi(2)).exp() / (s * std::f64::consts::TAU.sqrt())
                };
                self.weights[k] * x.iter().zip(&self.means[k]).map(factor).product::<f64>()
            })
            .sum();
        -density.ln()
    }

    /// Central differences.
    pub fn gradient(&self, x: &[f64]) -> Vec<f64> {
        let h = 1e-5;
        (0..x.len())
            .map(|j| {
                let moved = |by: f64| {
                    let mut x = x.to_vec();
                    x[j] += by;
                    self.energy(&x)
                };
                (moved(h) - moved(-h)) / (2.0 * h)
            })
            .collect()
    }
}

/// What a component says of a point: ln w - d ln (s sqrt(2 pi)) without, and with, -|x - mu|^2 / (2 s^2).
fn logit(mixture: &Mixture, k: usize, x: &[f64]) -> (f64, f64) {
    let s = mixture.stds[k];
    let offset = mixture.weights[k].ln() - x.len() as f64 * (s.ln() + 0.5 * std::f64::consts::TAU.ln());
    let square: f64 = x.iter().zip(&mixture.means[k]).map(|(x, mean)| ((x - mean) / s).powi(2)).sum();
    (offset, offset - 0.5 * square)
}

/// What is true of a point wherever it lies.
pub struct Truth {
    pub energy: f64,
    pub gradient: Vec<f64>,
    /// The sum of what components pull, without their signs, times how far their logits are below the largest offset:
    /// that is how coarse they are.
    pub effort: Vec<f64>,
    /// How far the largest logit is below the largest offset.
    pub depth: f64,
    /// The largest number that has been added to or taken from the energy.
    pub magnitude: f64,
}

impl Mixture {
    pub fn truth(&self, x: &[f64]) -> Truth {
        let logits: Vec<(f64, f64)> = (0..self.stds.len()).map(|k| logit(self, k, x)).collect();
        let top = logits.iter().map(|l| l.0).fold(f64::NEG_INFINITY, f64::max);
        let most = logits.iter().map(|l| l.1).fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logits.iter().map(|l| (l.1 - most).exp()).sum();
        let (mut gradient, mut effort) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        for (k, l) in logits.iter().enumerate() {
            for j in 0..x.len() {
                let pull = (l.1 - most).exp() / total * (x[j] - self.means[k][j]) / self.stds[k].powi(2);
                gradient[j] += pull;
                effort[j] += pull.abs() * (1.0 + top - l.1);
            }
        }
        let magnitude = 1.0 + top.abs() + most.abs();
        Truth { energy: -(most + total.ln()), gradient, effort, depth: top - most, magnitude }
    }
}

/// -|to - from + eta slope|^2 / (4 eta T), the logarithm of the proposal's density.
fn log_proposal(to: &[f64], from: &[f64], slope: &[f64], eta: f64, temperature: f64) -> f64 {
    let square: f64 = (0..to.len()).map(|j| (to[j] - from[j] + eta * slope[j]).powi(2)).sum();
    -square / (4.0 * eta * temperature)
}

/// The logarithm of Metropolis and Hastings' ratio, from the densities.
pub fn log_ratio(mixture: &Mixture, from: &[f64], to: &[f64], eta: f64, temperature: f64) -> f64 {
    let (here, there) = (mixture.gradient(from), mixture.gradient(to));
    (mixture.energy(from) - mixture.energy(to)) / temperature
        + log_proposal(from, to, &there, eta, temperature)
        - log_proposal(to, from, &here, eta, temperature)
}
