//! Addresses and numbers that do not work any more: what failed is drawn into one conclusion a minute, and one click takes
//! it back (accept M18).

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use crate::delivery;
use crate::delivery::{Blame, Channel, Fault};
use crate::people;
use crate::people::SuspensionReason;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// On so many different days (of Belgium) something has to fail softly before nothing is sent there any more,
const SOFT_DAYS: usize = 3;
/// within this time. A success between does not begin the count anew for mail, as a relay that takes a mail proves nothing;
/// an SMS that reaches its handset does (`delivery` takes its failures back).
const SOFT_WINDOW: Duration = Duration::from_secs(30 * 24 * 3_600);
/// When so many of one message fail, more than so many in a hundred, it is our relay or our good name that is gone (a
/// block list answers "no such user", too), and not that many members at once.
const MASS: (i64, i64) = (20, 20);
/// A small partnership never has twenty: there it is more than half, from so many on.
const MASS_OF_FEW: (i64, i64) = (5, 50);

/// Did too many of one message fail at once for it to be the members?
fn is_mass_failure(failed: i64, tried: i64) -> bool {
    let beyond =
        |(least, percent): (i64, i64)| failed >= least && failed.saturating_mul(100) > tried.saturating_mul(percent);
    beyond(MASS) || beyond(MASS_OF_FEW)
}
/// What follows from the failures of one endpoint, of which the last is new.
fn conclusion<'f>(faults: impl Iterator<Item = &'f Fault>) -> Option<SuspensionReason> {
    let (mut hard, mut days) = (false, BTreeSet::new());
    for fault in faults {
        hard |= fault.kind == Blame::Hard;
        days.insert(fault.happened_at.in_belgium().date_naive());
    }
    if hard {
        return Some(SuspensionReason::Bounced);
    }
    (days.len() >= SOFT_DAYS).then_some(SuspensionReason::KeepsFailing)
}

/// Looks at what failed since the last time, and sends nothing more to what does not work. Returns how many contacts were
/// suspended.
///
/// # Errors
/// When the database fails.
pub fn suspend_unreachable(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    delivery::note_faults(tx)?;
    let open = delivery::open_faults(tx)?;
    if open.is_empty() {
        return Ok(0);
    }
    hold_back_mass_failures(tx, &open)?;
    let since = tx.now()?.minus(SOFT_WINDOW);
    let endpoints: HashSet<&[u8]> = open.iter().map(|fault| fault.endpoint_index.as_slice()).collect();
    let known = delivery::faults_since(tx, &endpoints.into_iter().collect::<Vec<_>>(), since)?;
    let mut suspended = 0;
    for (endpoint, faults) in known {
        // A household may share an address; what one of them said of it counts for that one.
        for (contact, trusted_from) in people::contacts_at(tx, &endpoint)? {
            let counted = || faults.iter().filter(|fault| trusted_from.is_none_or(|from| fault.sent_at >= from));
            if let Some(reason) = conclusion(counted())
                && people::suspend_contact(tx, contact, reason)?
            {
                tracing::info!(%contact, reason = reason.as_str(), "nothing more is sent to a contact that failed");
                suspended += 1;
            }
        }
    }
    delivery::settle_faults(tx, &open)?;
    Ok(suspended)
}
/// Where most of a message failed the fault is ours: it counts against nobody, and what was concluded from its first
/// failures is taken back.
fn hold_back_mass_failures(tx: &mut Tx<'_>, open: &[Fault]) -> Result<(), StorageError> {
    let sent: BTreeSet<(Id<of::Batch>, Channel)> = open.iter().map(|fault| (fault.batch_id, fault.channel)).collect();
    for (batch, channel) in sent {
        let (failed, tried) = delivery::failures_of_batch(tx, batch, channel)?;
        if !is_mass_failure(failed, tried) {
            continue;
        }
        let mut taken_back = 0;
        for (endpoint, concluded_at) in delivery::forgive_batch(tx, batch, channel)? {
            taken_back += people::unsuspend_endpoint(tx, &endpoint, concluded_at)?;
        }
        let channel = channel.as_str();
        tracing::error!(
            channel, %batch, failed, tried, taken_back,
            "most of a message came back: is our relay, our account or our good name gone? nobody is suspended for it"
        );
    }
    Ok(())
}
/// Somebody who keeps the list says that a contact works again. A second time changes nothing.
pub(super) fn clear(tx: &mut Tx<'_>, contact: Id<of::ContactPoint>) -> Result<(), StorageError> {
    people::reinstate_contact(tx, contact)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Timestamp;

    fn fault(kind: Blame, day: u32, hour: u32) -> Fault {
        let at = format!("2026-03-{day:02}T{hour:02}:00:00Z");
        let at: Timestamp = serde_json::from_value(serde_json::Value::String(at)).unwrap();
        let (batch_id, endpoint_index) = (Id::new(), vec![1]);
        Fault { id: 1, batch_id, channel: Channel::Email, endpoint_index, kind, sent_at: at, happened_at: at }
    }
    fn concluded(faults: &[(Blame, u32, u32)]) -> Option<SuspensionReason> {
        let faults: Vec<Fault> = faults.iter().map(|(kind, day, hour)| fault(*kind, *day, *hour)).collect();
        conclusion(faults.iter())
    }

    /// Accept M18.
    #[test]
    fn once_for_good_or_on_three_different_days() {
        use Blame::{Hard, Soft};
        use SuspensionReason::{Bounced, KeepsFailing};
        assert_eq!(concluded(&[]), None);
        assert_eq!(concluded(&[(Hard, 2, 10)]), Some(Bounced));
        assert_eq!(concluded(&[(Soft, 2, 10), (Hard, 2, 11)]), Some(Bounced));
        assert_eq!(concluded(&[(Soft, 2, 10), (Soft, 2, 11), (Soft, 2, 12)]), None);
        assert_eq!(concluded(&[(Soft, 2, 10), (Soft, 3, 10)]), None);
        assert_eq!(concluded(&[(Soft, 2, 10), (Soft, 3, 10), (Soft, 9, 10)]), Some(KeepsFailing));
        // 23:30 UTC is the next day in Belgium.
        assert_eq!(concluded(&[(Soft, 2, 10), (Soft, 3, 22), (Soft, 3, 23)]), Some(KeepsFailing));
    }
    #[test]
    fn that_many_members_do_not_move_away_at_once() {
        for (failed, tried, wanted) in [
            (1, 1, false),
            (4, 4, false),
            (5, 5, true),
            (5, 9, true),
            (5, 10, false),
            (19, 90, false),
            (20, 99, true),
            (20, 100, false),
            (21, 100, true),
            (400, 10_000, false),
            (2_001, 10_000, true),
        ] {
            assert_eq!(is_mass_failure(failed, tried), wanted, "{failed} of {tried}");
        }
    }
}
