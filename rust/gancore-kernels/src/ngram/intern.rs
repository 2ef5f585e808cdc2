//! Numbers for keys, from 0 on in the order of their first occurrence.

/// The number that no key has.
pub const NONE: u32 = u32::MAX;

/// 2^64 over the golden ratio: products with it spread keys over their high bits (Knuth, volume 3, section 6.4).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// A table of keys, open to the next free place, at most half full.
pub struct Interner {
    slots: Vec<u32>,
    keys: Vec<u64>,
    shift: u32,
}

impl Interner {
    /// Room for so many keys.
    pub fn new(most: usize) -> Self {
        let bits = (2 * most.max(1)).next_power_of_two().trailing_zeros();
        Self { slots: vec![NONE; 1 << bits], keys: Vec::new(), shift: 64 - bits }
    }

    /// How many keys have numbers.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The number of a key.
    pub fn number(&mut self, key: u64) -> u32 {
        let mut at = (scatter(key) >> self.shift) as usize;
        loop {
            let slot = self.slots[at];
            if slot == NONE {
                let number = self.keys.len() as u32;
                self.slots[at] = number;
                self.keys.push(key);
                return number;
            }
            if self.keys[slot as usize] == key {
                return slot;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }
}

/// Both halves of a key reach the high bits, which choose the place.
fn scatter(key: u64) -> u64 {
    (key.wrapping_mul(SPREAD) ^ (key >> 32)).wrapping_mul(SPREAD)
}
