//! Caps and rates.

use std::num::NonZeroU32;

use serde::Deserialize;

/// Caps and rates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Reads per account and minute.
    pub reads_per_minute: NonZeroU32,
    /// Writes per account and minute.
    pub writes_per_minute: NonZeroU32,
    /// Requests without a sign-in, per network and minute.
    pub network_per_minute: NonZeroU32,
    /// Wrong sign-ins per account in 15 minutes.
    pub sign_ins_per_account: i32,
    /// Wrong sign-ins per network in 15 minutes.
    pub sign_ins_per_network: i32,
    /// Wrong proofs of identity per account in 15 minutes, by somebody who is signed in.
    pub step_ups_per_account: i32,
    /// Codes per contact and day.
    pub codes_per_contact: i32,
    /// Applications per network and hour.
    pub applications_per_network: i32,
    /// Applications per partnership and day.
    pub applications_per_partnership: i32,
    /// Urgent messages per zone and hour.
    pub urgent_per_zone_hour: i32,
    /// Contacts one account may see in full per day.
    pub reveals_per_day: i32,
    /// Argon2 memory in KiB.
    pub argon2_memory_kib: u32,
    /// Argon2 passes.
    pub argon2_passes: u32,
}
