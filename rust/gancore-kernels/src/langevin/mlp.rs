//! The energy of a generator-critic pair of multilayer perceptrons, with its gradient, and whole chains on it.
//!
//! ```text
//! E(u) = |u|^2 / 2 - phi(u),  phi(u) = scale d(G(T(u))) + shift,  grad E(u) = u - grad phi(u)
//! ```
//!
//! Che et al., *Your GAN is Secretly an Energy-based Model* (2020), equations 4 to 6, on the normals u whose push-forward
//! z = T(u) is the latent code. d(G(.)) is one stack of layers y = a(W x + b); the derivative of each activation a is
//! written with its value, so that a forward pass keeps all that its backward pass needs.
//!
//! Layers are dense linear algebra: multiply and add are fused where the instruction set can. The sums of each chain run
//! over the depth in order, in float32, so a chain has the same bits beside any others, on any number of threads, and on
//! any two instruction sets that fuse.

mod corner;
mod pass;
mod place;
mod prior;
mod walk;

pub use prior::Prior;
pub use walk::{Course, Journey};

use super::refuse_non_finite;
use crate::error::{Error, Result};
use crate::pool::Interrupt;
use crate::rng::Stream;

/// Chains side by side in a tile: four vectors of AVX2, two of AVX-512.
const WIDTH: usize = 32;

/// Outputs that a layer computes together: with two vectors of chains their sums fill the registers of AVX2.
const PANEL: usize = 6;

/// One number of each chain of a tile.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Row([f32; WIDTH]);

const ZEROS: Row = Row([0.0; WIDTH]);

/// What follows a layer's sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// x
    Identity,
    /// x where it is positive, else this much of it: 0 for a rectifier.
    Rectifier(f32),
    /// tanh x
    Tanh,
    /// x where it is positive, else this times e^x - 1.
    Elu(f32),
    /// ln (1 + e^x)
    Softplus,
}

/// One layer: weights (outputs, inputs), row by row, and a bias each output.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// W.
    pub weights: &'a [f32],
    /// b.
    pub bias: &'a [f32],
    /// a.
    pub activation: Activation,
}

/// A layer in the orders in which its two products read it.
#[derive(Debug, Clone)]
struct Packed {
    /// Panels of outputs, input by input.
    forward: Vec<[f32; PANEL]>,
    /// Panels of inputs, output by output.
    backward: Vec<[f32; PANEL]>,
    bias: Vec<[f32; PANEL]>,
    inputs: usize,
    outputs: usize,
    activation: Activation,
}

/// The energy of a pair.
#[derive(Debug, Clone)]
pub struct MlpEnergy {
    layers: Vec<Packed>,
    prior: Prior,
    scale: f64,
    shift: f64,
}

impl MlpEnergy {
    /// An energy from the layers of the generator and then of the critic, whose last has one output.
    pub fn new(layers: &[Layer<'_>], prior: Prior, scale: f64, shift: f64) -> Result<Self> {
        let mut packed: Vec<Packed> = Vec::with_capacity(layers.len());
        for (number, layer) in layers.iter().enumerate() {
            let (outputs, before) = (layer.bias.len(), packed.last().map(|layer| layer.outputs));
            let inputs = layer.weights.len().checked_div(outputs).unwrap_or(0);
            if inputs == 0 || inputs * outputs != layer.weights.len() {
                let got = format!("{} weights for {outputs} outputs in layer {number}", layer.weights.len());
                return Err(Error::shape("layers", "weights (outputs, inputs) and a bias each output", got));
            }
            if let Some(before) = before.filter(|&before| before != inputs) {
                let got = format!("{inputs} inputs after {before} outputs in layer {number}");
                return Err(Error::shape("layers", "as many inputs as the layer before has outputs", got));
            }
            for values in [layer.weights, layer.bias] {
                refuse_non_finite("layers", values, inputs, &Interrupt::new())?;
            }
            packed.push(Packed::new(layer, inputs, outputs));
        }
        if packed.last().map(|layer| layer.outputs) != Some(1) {
            return Err(Error::shape("layers", "one output at the end", "another number"));
        }
        for (argument, value) in [("scale", scale), ("shift", shift)] {
            if !value.is_finite() {
                return Err(Error::domain(argument, "be finite", value.to_string()));
            }
        }
        Ok(Self { layers: packed, prior, scale, shift })
    }

    /// Coordinates of a code.
    pub fn dim(&self) -> usize {
        self.layers.first().map_or(1, |layer| layer.inputs)
    }

    /// Multiplications of a forward pass.
    pub fn work(&self) -> usize {
        self.layers.iter().map(|layer| layer.inputs * layer.outputs).sum()
    }

    fn check_states(&self, argument: &'static str, u: &[f32], interrupt: &Interrupt) -> Result<()> {
        if !u.len().is_multiple_of(self.dim()) {
            let expected = format!("{} numbers a row", self.dim());
            return Err(Error::shape(argument, expected, format!("{} numbers", u.len())));
        }
        refuse_non_finite(argument, u, self.dim(), interrupt)
    }
}

impl Packed {
    fn new(layer: &Layer<'_>, inputs: usize, outputs: usize) -> Self {
        let panels = |many: usize, depth: usize| vec![[0.0; PANEL]; many.div_ceil(PANEL) * depth];
        let (mut forward, mut backward) = (panels(outputs, inputs), panels(inputs, outputs));
        let mut bias = panels(outputs, 1);
        for (j, row) in layer.weights.chunks_exact(inputs).enumerate() {
            bias[j / PANEL][j % PANEL] = layer.bias[j];
            for (k, &weight) in row.iter().enumerate() {
                forward[j / PANEL * inputs + k][j % PANEL] = weight;
                backward[k / PANEL * outputs + j][k % PANEL] = weight;
            }
        }
        Self { forward, backward, bias, inputs, outputs, activation: layer.activation }
    }

    /// The longer side.
    fn height(&self) -> usize {
        self.inputs.max(self.outputs)
    }
}
