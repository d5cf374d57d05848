//! Cases of the kind `latency`.

use crate::case::{Case, Difference};

/// Carries out one case.
pub fn replay(_: &Case) -> Result<(), Difference> {
    Err(Difference::impossible("this kind is not replayed yet"))
}
