//! Mutual information: how far a joint distribution is from the product of its marginals.

use super::survey::survey;
use super::{RowSum, SCALE, terms};
use crate::error::{Error, Result};
use crate::num::{Compensated, Real};
use crate::pool::{self, Interrupt};
use crate::simd;

/// I = KL(joint, product of the marginals) of each `height` x `width` joint distribution.
pub fn mutual_information<T: Real>(
    joint: &[T],
    (height, width): (usize, usize),
    normalize: bool,
    interrupt: &Interrupt,
) -> Result<Vec<f64>> {
    let size = height * width;
    if size == 0 {
        return Err(Error::shape("joint", "at least one mass on the last two axes", "none"));
    }
    let mut out = vec![0.0; joint.len() / size];
    pool::for_each_chunk_mut(&mut out, 1, |matrix, value| {
        interrupt.check()?;
        let masses = &joint[matrix * size..(matrix + 1) * size];
        survey(masses, masses, matrix, normalize).map_err(|error| match error {
            Error::Domain { expected, got, .. } => {
                let axes = expected.replace("the last axis", "the last two axes");
                Error::Domain { argument: "joint", expected: axes, got: got.replace("row", "matrix") }
            }
            other => other,
        })?;
        let mut columns = vec![Compensated::default(); width];
        let mut total = Compensated::default();
        let rows: Vec<f64> = masses
            .chunks(width)
            .map(|row| {
                let mut sum = Compensated::default();
                for (column, &mass) in columns.iter_mut().zip(row) {
                    column.add(mass.into());
                    sum.add(mass.into());
                }
                total.add(sum.value());
                sum.value()
            })
            .collect();
        let columns: Vec<f64> = columns.into_iter().map(Compensated::value).collect();
        let total = total.value();
        let product: Vec<f64> =
            rows.iter().flat_map(|row| columns.iter().map(move |column| row / total * column)).collect();
        let masses: Vec<f64> = masses.iter().map(|&mass| mass.into()).collect();
        let sums = survey(&masses, &product, matrix, true)?;
        let sum = simd::dispatch(RowSum { p: &masses, q: &product, sums, term: &terms::Kl });
        if let Some(value) = value.first_mut() {
            *value = sum / SCALE;
        }
        Ok(())
    })?;
    Ok(out)
}
