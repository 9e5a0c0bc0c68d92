use serde::Deserialize;
use utoipa::IntoParams;

use crate::Input;

/// The part of a list that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Most entries to answer.
    #[serde(default = "Page::default_limit")]
    #[param(minimum = 1, maximum = 100, default = 50)]
    pub limit: i64,
    /// Entries to leave out first.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    pub offset: i64,
}

impl Page {
    const fn default_limit() -> i64 {
        50
    }

    /// Whether entries follow after `shown` of `total`.
    pub const fn has_more(&self, shown: i64, total: i64) -> bool {
        self.offset.saturating_add(shown) < total
    }
}

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: Self::default_limit(),
            offset: 0,
        }
    }
}

impl Input for Page {}
