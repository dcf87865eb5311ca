//! The time, for whoever sits at the machine: a clock that was wrong, and is right now.

use crate::delivery;
use crate::storage::Database;
use crate::storage::StorageError;
use crate::storage::trust_the_machine;

/// Believes the machine's clock from now on; what was done, as text. Nothing else may run on this database meanwhile.
///
/// # Errors
/// When the database fails.
pub fn trusted(database: &Database) -> anyhow::Result<String> {
    let (back, moved) = database.write(|tx| {
        let back = trust_the_machine(tx)?;
        let moved = if back.is_zero() { 0 } else { delivery::set_back(tx, back)? };
        Ok::<_, StorageError>((back, moved))
    })?;
    let seconds = back.as_secs();
    Ok(format!(
        "the machine's clock is believed; the time goes back by {seconds} s, and {moved} waiting deliveries with it\n"
    ))
}
