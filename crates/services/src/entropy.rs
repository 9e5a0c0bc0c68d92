use mf_domain::Entropy;
use rand::Rng as _;

/// Randomness from the operating system, by way of a generator that is reseeded from it.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
