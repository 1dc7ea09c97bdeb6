//! Randomness that is none, so that a test gives the same twice.

use rand_core::{CryptoRng, RngCore};

/// A fixed stream of bytes in the place of randomness; the number is where it starts.
pub(crate) struct Stream(pub(crate) u64);

impl RngCore for Stream {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(self.next_u64().to_le_bytes()[..4].try_into().unwrap())
    }

    /// `SplitMix64`, which is no cipher but differs from call to call.
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Stream {}
