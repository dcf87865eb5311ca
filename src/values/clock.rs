//! Time as a parameter: moments, and the one clock that makes them.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::steady::{Steady, Turn};

/// A moment in UTC, kept to the microsecond as both databases keep it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment so many microseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// This moment as chrono knows it.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        Utc.timestamp_micros(self.0).single().unwrap_or_default()
    }
    /// The same moment on the clocks of Belgium.
    #[must_use]
    pub fn in_belgium(self) -> DateTime<chrono_tz::Tz> {
        self.to_utc().with_timezone(&chrono_tz::Europe::Brussels)
    }
    /// Later by a duration; saturates.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
    /// Earlier by a duration; saturates.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}
impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros())
    }
}
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DateTime::<Utc>::deserialize(deserializer).map(Self::from)
    }
}
impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}
impl utoipa::ToSchema for Timestamp {
    fn name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
}

/// Time on this machine, the same for everything in this process: identifiers are made by it too.
static MACHINE: Mutex<Machine> = Mutex::new(Machine { steady: None, is_told: false });
/// How this process keeps time, and whether a database tells it instead of the wall.
struct Machine {
    steady: Option<Steady>,
    is_told: bool,
}
/// A counter that goes on while the machine sleeps, and that nobody can set.
#[cfg(target_os = "linux")]
const COUNTER: rustix::time::ClockId = rustix::time::ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const COUNTER: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
/// Between two readings of the counter the wall was read: if we were held up in between, they cannot be compared.
const HELD_UP: i64 = 100_000;
/// The same for a database that was asked.
const HELD_UP_ON_THE_WAY: i64 = 2_000_000;

#[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
fn wall() -> i64 {
    Utc::now().timestamp_micros()
}
/// Microseconds since the machine started, sleep included.
fn counter() -> i64 {
    let read = rustix::time::clock_gettime(COUNTER);
    read.tv_sec.saturating_mul(1_000_000).saturating_add(read.tv_nsec / 1_000)
}
fn on_the_machine<T>(ask: impl FnOnce(&mut Steady, i64) -> T) -> T {
    let mut machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let is_told = machine.is_told;
    let steady = machine.steady.get_or_insert_with(|| Steady::begin(wall(), counter()));
    let before = counter();
    if !is_told && steady.is_due(before) {
        let wall = wall();
        let after = counter();
        if after.saturating_sub(before) <= HELD_UP {
            log(steady.look(wall, after));
        }
    }
    ask(steady, counter())
}
fn log(turn: Option<Turn>) {
    let seconds = |micros: i64| micros / 1_000_000;
    match turn {
        Some(Turn::Jumped(by)) => {
            let seconds = seconds(by);
            tracing::error!(event = "clock.jumped", seconds, "the clock jumped: it is not believed");
        }
        Some(Turn::Returned) => tracing::warn!(event = "clock.returned", "the clock is right again"),
        Some(Turn::Believed(by)) => {
            let seconds = seconds(by);
            tracing::error!(event = "clock.believed", seconds, "the clock insists: time leaps forward");
        }
        None => {}
    }
}

/// Where the time comes from: the machine, or a test's hand.
#[derive(Clone, Debug)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock, which goes on steadily when somebody sets it (decision 0014).
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }
    /// A clock that stands at `at` until it is moved; every clone moves with it.
    #[must_use]
    pub fn driven(at: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(at.micros()))))
    }
    /// Is this clock moved by hand?
    #[must_use]
    pub const fn is_driven(&self) -> bool {
        self.0.is_some()
    }
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Some(at) => Timestamp(at.load(Ordering::SeqCst)),
            None => Timestamp(on_the_machine(|steady, counter| steady.at(counter))),
        }
    }
    /// What the machine's clock says by itself, believed or not.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        if self.is_driven() { self.now() } else { Timestamp(wall()) }
    }
    /// Goes on from a moment that is known better than by the machine's clock; does nothing to a driven one.
    pub fn resume(&self, at: Timestamp) {
        if self.0.is_none() {
            on_the_machine(|steady, counter| steady.resume(at.micros(), counter));
        }
    }
    /// A database that keeps the time for several machines told it; it was asked when the counter stood at `asked`. From now
    /// on it is looked at instead of the wall of this machine. Does nothing to a driven clock.
    pub fn follow(&self, told: Timestamp, asked: i64) {
        if self.is_driven() {
            return;
        }
        let mut machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
        let now = counter();
        let first = !std::mem::replace(&mut machine.is_told, true);
        let steady = machine.steady.get_or_insert_with(|| Steady::begin(told.micros(), now));
        if first {
            steady.resume(told.micros(), now);
        } else if steady.is_due(now) && now.saturating_sub(asked) <= HELD_UP_ON_THE_WAY {
            log(steady.look(told.micros(), now));
        }
    }
    /// How many seconds the machine's clock is ahead of the time that is believed (behind: negative), where it jumped.
    #[must_use]
    pub fn offset_seconds(&self) -> Option<i64> {
        if self.is_driven() {
            return None;
        }
        on_the_machine(|steady, _| steady.offset()).map(|offset| offset / 1_000_000)
    }
    /// Microseconds since the machine started, sleep included: with the machine's start it dates what was stored before.
    #[must_use]
    pub fn counter(&self) -> i64 {
        self.0.as_ref().map_or_else(counter, |at| at.load(Ordering::SeqCst))
    }
    /// Moves a driven clock forward; does nothing to the machine's.
    pub fn advance(&self, by: Duration) {
        if let Some(at) = &self.0 {
            at.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}
