//! One tile of chains through all layers and back.

use pulp::Simd;

use super::corner::{Finish, product};
use super::{Activation, MlpEnergy, Row, WIDTH, ZEROS};
use crate::num;

/// What passes write down.
pub(super) struct Scratch {
    /// z = T(u).
    pub(super) codes: Vec<Row>,
    /// Values of each layer's outputs.
    values: Vec<Vec<Row>>,
    /// Derivatives of phi with respect to a layer's sums, and those with respect to what goes in.
    slopes: [Vec<Row>; 2],
}

impl Scratch {
    pub(super) fn new(energy: &MlpEnergy) -> Self {
        let height = energy.layers.iter().map(super::Packed::height).max().unwrap_or(1);
        Self {
            codes: vec![ZEROS; energy.dim()],
            values: energy.layers.iter().map(|l| vec![ZEROS; l.outputs]).collect(),
            slopes: [vec![ZEROS; height], vec![ZEROS; height]],
        }
    }

    /// d(G(z)) of the codes.
    #[inline(always)]
    pub(super) fn forward<S: Simd>(&mut self, simd: S, energy: &MlpEnergy) -> Row {
        let mut before: &[Row] = &self.codes;
        for (layer, values) in energy.layers.iter().zip(&mut self.values) {
            let finish = match layer.activation {
                Activation::Rectifier(slope) => Finish::Rectify(slope),
                _ => Finish::Keep,
            };
            product(simd, &layer.forward, &layer.bias, &before[..layer.inputs], values, finish);
            bend(layer.activation, values);
            before = values;
        }
        before.first().copied().unwrap_or(ZEROS)
    }

    /// The gradient of `scale` times d(G(z)) with respect to the codes, after a forward pass.
    #[inline(always)]
    pub(super) fn backward<S: Simd>(&mut self, simd: S, energy: &MlpEnergy, scale: f32) -> &mut [Row] {
        let [mut slopes, mut next] = self.slopes.each_mut();
        if let (Some(slope), Some(layer), Some(values)) =
            (slopes.first_mut(), energy.layers.last(), self.values.last())
        {
            *slope = Row([scale; WIDTH]);
            straighten(layer.activation, values, std::slice::from_mut(slope));
            if let Activation::Rectifier(low) = layer.activation {
                for (slope, &value) in slope.0.iter_mut().zip(&values[0].0) {
                    *slope = if value > 0.0 { *slope } else { low * *slope };
                }
            }
        }
        for (number, layer) in energy.layers.iter().enumerate().rev() {
            let below =
                number.checked_sub(1).map(|below| (energy.layers[below].activation, &self.values[below]));
            let finish = match below {
                Some((Activation::Rectifier(slope), values)) => Finish::Gate(slope, values),
                _ => Finish::Keep,
            };
            product(simd, &layer.backward, &[], &slopes[..layer.outputs], &mut next[..layer.inputs], finish);
            if let Some((activation, values)) = below {
                straighten(activation, values, &mut next[..layer.inputs]);
            }
            std::mem::swap(&mut slopes, &mut next);
        }
        &mut slopes[..energy.dim()]
    }
}

/// Apply an activation that the product has not.
#[inline(always)]
fn bend(activation: Activation, values: &mut [Row]) {
    match activation {
        Activation::Identity | Activation::Rectifier(_) => {}
        Activation::Tanh => {
            for x in &mut *values {
                for x in &mut x.0 {
                    let e = exp(-2.0 * x.abs());
                    *x = ((1.0 - e) / (1.0 + e)).copysign(*x);
                }
            }
        }
        Activation::Elu(alpha) => {
            for x in &mut *values {
                for x in &mut x.0 {
                    let low = alpha * (exp(-x.abs()) - 1.0);
                    *x = if *x < 0.0 { low } else { *x };
                }
            }
        }
        Activation::Softplus => {
            for x in &mut *values {
                for x in &mut x.0 {
                    let rest = num::ln_normal(1.0 + f64::from(exp(-x.abs()))) as f32;
                    *x = (if *x < 0.0 { 0.0 } else { *x }) + rest;
                }
            }
        }
    }
}

/// Multiply slopes by the derivative of an activation that the product has not, given its values.
#[inline(always)]
fn straighten(activation: Activation, values: &[Row], slopes: &mut [Row]) {
    for (slope, value) in slopes.iter_mut().zip(values) {
        let (slope, value) = (&mut slope.0, &value.0);
        match activation {
            Activation::Identity | Activation::Rectifier(_) => {}
            Activation::Tanh => {
                for i in 0..WIDTH {
                    slope[i] *= 1.0 - value[i] * value[i];
                }
            }
            Activation::Elu(alpha) => {
                for i in 0..WIDTH {
                    slope[i] *= if value[i] > 0.0 { 1.0 } else { value[i] + alpha };
                }
            }
            Activation::Softplus => {
                // The values are ln (1 + e^x), so that this is the logistic function of x.
                for i in 0..WIDTH {
                    slope[i] *= 1.0 - exp(-value[i]);
                }
            }
        }
    }
}

/// e^x for x <= 0, within 2e-7 of 1; nan comes through.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let power = x * std::f32::consts::LOG2_E;
    let value = num::single::exp2_normal(if power < -100.0 { -100.0 } else { power });
    if x.is_nan() { x } else { value }
}
