//! What the couriers count, and which providers are not called at present. In this process only; how deep the queue is stands
//! in the database (`depths`).

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::alarms::AlarmKind;
use super::lifecycle::Channel;
use crate::http::Counters;

static ATTEMPTS: LazyLock<Counters> = LazyLock::new(|| {
    Counters::new(
        "vigie_delivery_attempts_total",
        "Attempts that were settled, by what came of them.",
        &["channel", "provider", "outcome"],
    )
});
static LOST: LazyLock<Counters> = LazyLock::new(|| {
    Counters::new("vigie_delivery_leases_lost_total", "Attempts whose courier went away; others took over.", &[])
});
static LATE: LazyLock<Counters> = LazyLock::new(|| {
    Counters::new(
        "vigie_delivery_late_answers_total",
        "Answers that came after the lease was lost, and changed nothing.",
        &[],
    )
});
static UNSETTLED: LazyLock<Counters> = LazyLock::new(|| {
    Counters::new(
        "vigie_delivery_settle_failures_total",
        "Times that the queue could not be written: answers wait in memory.",
        &[],
    )
});
static UNREADABLE: LazyLock<Counters> = LazyLock::new(|| {
    Counters::new(
        "vigie_delivery_unreadable_total",
        "Deliveries that could not be opened: damaged, or the wrong key file.",
        &[],
    )
});
static RECEIPTS: LazyLock<Counters> = LazyLock::new(|| {
    Counters::new(
        "vigie_delivery_receipts_total",
        "Reports of providers, by level; `unknown` is a code we do not know, `none` one that never came.",
        &["level"],
    )
});
static ALARMS: LazyLock<Counters> =
    LazyLock::new(|| Counters::new("vigie_alarms_raised_total", "Alarms that this process raised.", &["kind"]));

/// A provider as it stands: since when it is not called, where it is not.
type Breakers = BTreeMap<(Channel, String), Option<Instant>>;
static BREAKERS: Mutex<Breakers> = Mutex::new(BTreeMap::new());
/// When deliveries were last found unreadable.
static UNREADABLE_AT: Mutex<Option<Instant>> = Mutex::new(None);

/// An attempt was settled; `outcome` is that of its row, but for `not_tried` and `fell_over`, which never left us.
pub fn attempt(channel: Channel, provider: &str, outcome: &'static str) {
    ATTEMPTS.add(&[channel.as_str(), provider, outcome], 1);
}
/// The couriers of so many attempts went away.
pub fn lost(count: usize) {
    LOST.add(&[], u64::try_from(count).unwrap_or(0));
}
/// An answer came after its lease was lost.
pub fn late() {
    LATE.add(&[], 1);
}
/// Answers could not be written down; they are tried again.
pub fn settle_failed() {
    UNSETTLED.add(&[], 1);
}
/// So many deliveries could not be opened.
pub fn unreadable(count: usize) {
    let count = u64::try_from(count).unwrap_or(0);
    UNREADABLE.add(&[], count);
    *UNREADABLE_AT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}
/// A report came; `level` is a state, or `unknown` (accept M11).
pub fn receipt(level: &'static str) {
    RECEIPTS.add(&[level], 1);
}
/// So many reports never came.
pub fn no_report(count: usize) {
    RECEIPTS.add(&["none"], u64::try_from(count).unwrap_or(0));
}
/// An alarm was raised.
pub fn alarm(kind: AlarmKind) {
    ALARMS.add(&[kind.as_str()], 1);
}
/// A provider is no longer called (`open`), or is again.
pub fn breaker(channel: Channel, provider: &str, open: bool) {
    let mut breakers = BREAKERS.lock().unwrap_or_else(PoisonError::into_inner);
    let since = breakers.entry((channel, provider.to_owned())).or_default();
    if open != since.is_some() {
        *since = open.then(Instant::now);
    }
}

/// Every provider that was heard of, with how long it has not been called; none for one that is.
#[must_use]
pub fn breakers() -> Vec<(Channel, String, Option<Duration>)> {
    let breakers = BREAKERS.lock().unwrap_or_else(PoisonError::into_inner);
    breakers.iter().map(|((channel, name), since)| (*channel, name.clone(), since.map(|at| at.elapsed()))).collect()
}
/// Attempts settled so far with this outcome.
#[must_use]
pub fn attempts_so_far(channel: Channel, provider: &str, outcome: &str) -> u64 {
    ATTEMPTS.get(&[channel.as_str(), provider, outcome])
}
/// Reports so far of this level.
#[must_use]
pub fn receipts_so_far(level: &str) -> u64 {
    RECEIPTS.get(&[level])
}
/// Alarms of this kind that this process raised so far.
#[must_use]
pub fn alarms_so_far(kind: AlarmKind) -> u64 {
    ALARMS.get(&[kind.as_str()])
}
/// Late answers so far.
#[must_use]
pub fn late_so_far() -> u64 {
    LATE.get(&[])
}
/// Did this process find deliveries unreadable within this time?
#[must_use]
pub fn unreadable_within(time: Duration) -> bool {
    UNREADABLE_AT.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at.elapsed() < time)
}
/// Makes every counter known, so that it is scraped as zero before the first time.
pub fn begin() {
    for counter in [&LOST, &LATE, &UNSETTLED, &UNREADABLE] {
        counter.add(&[], 0);
    }
    for level in ["at_operator", "at_handset", "failed", "unknown", "none"] {
        RECEIPTS.add(&[level], 0);
    }
    for kind in AlarmKind::ALL {
        ALARMS.add(&[kind.as_str()], 0);
    }
}
