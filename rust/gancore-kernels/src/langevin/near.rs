//! Energies and gradients in one pass over the components: shares without the largest of them taken out.
//!
//! ```text
//! S = sum_k 2^(l_k - t),  grad E = sum_k 2^(l_k - t) (x - mu_k) / s_k^2 / S,  t the largest offset (l_k in units of ln 2)
//! ```
//!
//! Where S is at least [`Number::LEAST`], components whose share falls below 2^[`Number::FAINT`] are less than 2^-80 of it
//! each, and nothing is lost by them: the rounding of a share is that of l_k, whether or not the largest is taken out
//! afterwards. That is 32 nats below t in float32, and 69 in float64. In float64 then E = -(t + ln S). In float32 the
//! rounding of l_k would show in E, so the component k* that attains the largest is kept where energies are asked for,
//! and E = -(l_k*(x) + ln (S 2^(t - l_k*))) has its large part in float64: what is left is at most 1e-6 where the largest
//! l_k is within 5 nats of t, in proportion to it further out. The other points go [`super::far`]; which way one goes
//! depends on that point alone.
//!
//! Shares are most of the work. Where components lie apart, `apart.rs` takes those of the few that count at a point.

use super::field::{BLOCK, Field};
use super::mixture::WIDTH;
use super::number::Number;
use super::tile::{Column, Sums, Tile};

impl<N: Number> Tile<N> {
    /// Gradients, and energies if asked for, else zeros: of no use where the sum of shares, given back, is too small.
    #[inline(always)]
    pub(super) fn near(
        &mut self,
        field: &Field<N>,
        energies: bool,
        logits: &mut Vec<Column<N>>,
    ) -> Column<N> {
        let mut sums = Sums::default();
        match self.x.len() {
            1 => self.near_in::<1>(field, energies, logits, &mut sums),
            2 => self.near_in::<2>(field, energies, logits, &mut sums),
            3 => self.near_in::<3>(field, energies, logits, &mut sums),
            _ => self.near_in::<4>(field, energies, logits, &mut sums),
        }
        self.energy = Column::all(0.0);
        if energies {
            sums.energies(field, &self.x, &mut self.energy);
        }
        sums.total
    }

    #[inline(always)]
    fn near_in<const D: usize>(
        &mut self,
        field: &Field<N>,
        energies: bool,
        logits: &mut Vec<Column<N>>,
        sums: &mut Sums<N>,
    ) {
        match (field.apart, N::COARSE && energies) {
            (true, false) => self.pick::<D, false>(field, logits, sums),
            (true, true) => self.pick::<D, true>(field, logits, sums),
            (false, false) => self.pass::<D, false>(field, sums),
            (false, true) => self.pass::<D, true>(field, sums),
        }
    }

    #[inline(always)]
    fn pass<const D: usize, const NEAREST: bool>(&mut self, field: &Field<N>, sums: &mut Sums<N>) {
        // Copies: that nothing written to can be one of them lets the compiler vectorise the loops without a check.
        let Some(&x) = self.x.first_chunk::<D>() else { return };
        let mut gradient = [Column::all(N::default()); D];
        let means = field.means.as_chunks::<D>().0.as_chunks::<BLOCK>().0;
        let parts = field.precisions.as_chunks::<BLOCK>().0.iter().zip(means);
        for ((first, block), (precisions, means)) in (0..).step_by(BLOCK).zip(&field.blocks).zip(parts) {
            let (block, precisions, means) = (*block, *precisions, *means);
            for i in 0..WIDTH {
                let mut away = [[N::default(); D]; BLOCK];
                let mut logits = [N::default(); BLOCK];
                for k in 0..BLOCK {
                    for j in 0..D {
                        away[k][j] = x[j][i] - means[k][j];
                    }
                    logits[k] = block.logit(k, away[k]);
                }
                if NEAREST {
                    sums.attain(i, first, &logits);
                }
                let shares = N::shares(logits);
                let mut total = sums.total[i];
                let mut slope = [N::default(); D];
                for j in 0..D {
                    slope[j] = gradient[j][i];
                }
                for k in 0..BLOCK {
                    total += shares[k];
                    let pull = shares[k] * precisions[k];
                    for j in 0..D {
                        slope[j] += pull * away[k][j];
                    }
                }
                sums.total[i] = total;
                for j in 0..D {
                    gradient[j][i] = slope[j];
                }
            }
        }
        sums.divide(&mut gradient);
        self.gradient.copy_from_slice(&gradient);
    }
}
