//! Instruction sets: plain loops over fixed lanes, compiled again for each set and chosen at run time.
//!
//! A kernel writes its inner loop as an [`Op`], plain loops over slices, and hands it to [`dispatch`]; the compiler
//! vectorises it once for baseline x86-64, once for v3 (AVX2) and once for v4 (AVX-512).
//! The code never fuses multiply and add, so all of them give the same bits. `GANCORE_ISA=scalar|v3|v4` forces one.
//! Dense linear algebra is exempt: [`dispatch_vectors`] gives it the vectors of the set, and it fuses where that can.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Result};

/// Width of the fixed stripes: eight doubles fill an AVX-512 register, and two AVX2 ones.
pub const LANES: usize = 8;

/// An instruction set that kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Isa {
    /// The baseline of the target.
    Scalar = 1,
    /// x86-64-v3: AVX2.
    V3 = 2,
    /// x86-64-v4: AVX-512.
    V4 = 3,
}

impl Isa {
    /// The name that `GANCORE_ISA` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::V3 => "v3",
            Self::V4 => "v4",
        }
    }

    /// Whether this machine can run it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::V3 => pulp::x86::V3::try_new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::V4 => pulp::x86::V4::try_new().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }
}

static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// Read `GANCORE_ISA`, once, when the library is loaded.
pub fn configure_from_environment() -> Result<()> {
    match std::env::var("GANCORE_ISA") {
        Ok(value) => {
            let isa = [Isa::Scalar, Isa::V3, Isa::V4].into_iter().find(|isa| isa.name() == value.trim());
            force(isa.ok_or(Error::Config {
                variable: "GANCORE_ISA",
                expected: "scalar, v3 or v4",
                got: value,
            })?)
        }
        Err(_) => Ok(()),
    }
}

/// Use one instruction set from now on.
pub fn force(isa: Isa) -> Result<()> {
    if !isa.is_available() {
        return Err(Error::Backend(format!("this machine cannot run the instruction set {}", isa.name())));
    }
    CHOSEN.store(isa as u8, Ordering::Relaxed);
    Ok(())
}

/// The instruction set in use: the forced one, or else the widest that the machine has.
pub fn isa() -> Isa {
    match CHOSEN.load(Ordering::Relaxed) {
        1 => Isa::Scalar,
        2 => Isa::V3,
        3 => Isa::V4,
        _ => {
            let widest = [Isa::V4, Isa::V3].into_iter().find(|isa| isa.is_available()).unwrap_or(Isa::Scalar);
            CHOSEN.store(widest as u8, Ordering::Relaxed);
            widest
        }
    }
}

/// Work that is compiled for every instruction set.
pub trait Op {
    /// What it returns.
    type Output;

    /// Do it. This method, and every function it calls in its inner loops, must be marked `#[inline(always)]`: only
    /// what is inlined into [`dispatch`] is compiled again. A closure, or a function passed as one, cannot be so
    /// marked; pass a type with a marked method instead.
    fn run(self) -> Self::Output;
}

struct Call<O>(O);

impl<O: Op> pulp::NullaryFnOnce for Call<O> {
    type Output = O::Output;

    #[inline(always)]
    fn call(self) -> O::Output {
        self.0.run()
    }
}

/// Run an operation compiled for the instruction set in use.
#[inline(always)]
pub fn dispatch<O: Op>(op: O) -> O::Output {
    // The baseline stands in one place alone: what runs is inlined wherever it is named.
    match isa() {
        #[cfg(target_arch = "x86_64")]
        Isa::V4 => {
            if let Some(simd) = pulp::x86::V4::try_new() {
                return pulp::Simd::vectorize(simd, Call(op));
            }
        }
        #[cfg(target_arch = "x86_64")]
        Isa::V3 => {
            if let Some(simd) = pulp::x86::V3::try_new() {
                return pulp::Simd::vectorize(simd, Call(op));
            }
        }
        _ => {}
    }
    op.run()
}

/// Run an operation on the vectors of the instruction set in use. What it calls must be `#[inline(always)]`, too.
#[inline(always)]
pub fn dispatch_vectors<O: pulp::WithSimd>(op: O) -> O::Output {
    match isa() {
        #[cfg(target_arch = "x86_64")]
        Isa::V4 => {
            if let Some(simd) = pulp::x86::V4::try_new() {
                return pulp::Simd::vectorize(simd, op);
            }
        }
        #[cfg(target_arch = "x86_64")]
        Isa::V3 => {
            if let Some(simd) = pulp::x86::V3::try_new() {
                return pulp::Simd::vectorize(simd, op);
            }
        }
        _ => {}
    }
    op.with_simd(pulp::Scalar)
}
