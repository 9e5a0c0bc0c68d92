use std::fmt;

use object_store::path::Path;
use uuid::Uuid;

/// The name of a file: `<tenant>/<media>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    tenant: Uuid,
    media: Uuid,
}

impl Key {
    /// The file of a tenant.
    pub fn new(tenant: Uuid, media: Uuid) -> Self {
        Self { tenant, media }
    }

    /// Its place in a store that begins at `root`.
    pub(crate) fn under(self, root: &Path) -> Path {
        folder_of(self.tenant, root).join(name(self.media))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.media)
    }
}

/// Where all files of a tenant are.
pub(crate) fn folder_of(tenant: Uuid, root: &Path) -> Path {
    root.clone().join(name(tenant))
}

fn name(id: Uuid) -> String {
    id.hyphenated().to_string()
}
