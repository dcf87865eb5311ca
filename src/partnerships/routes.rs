//! Soon.

use crate::access::Routes;

/// Mounts nothing yet.
pub fn routes(_: &mut Routes<'_>) {}
