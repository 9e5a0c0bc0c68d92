//! What every rig of a run has in common.

use std::path::PathBuf;

use rand::{SeedableRng as _, rngs::StdRng};

use crate::Source;

/// Which program is under test, and how.
#[derive(Debug, Clone)]
pub struct Lab {
    /// The program `moltflow`.
    pub program: PathBuf,
    /// Choices follow from it.
    pub seed: u64,
    /// Where databases come from, for injections that do not stop theirs.
    pub source: Source,
    /// Where what servers complained of is kept, in a folder for each injection.
    pub logs: PathBuf,
}

impl Lab {
    /// The choices of one injection. A run with the same seed makes the same; what the machine
    /// does with them differs.
    pub fn dice(&self) -> StdRng {
        StdRng::seed_from_u64(self.seed)
    }
}
