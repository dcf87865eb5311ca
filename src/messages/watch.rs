//! The watch: once a second it asks whether something is wrong that somebody must mend: an urgent message that nobody gets, a
//! provider that is down, a queue that cannot be read. It raises an alarm once, and clears it when the cause is gone
//! (accept M22). It reads; only a change is written.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::dispatched::{self, Urgent};
use super::draft::surroundings;
use super::message::Class;
use super::notify;
use super::store;
use crate::config::Config;
use crate::delivery;
use crate::delivery::alarms::{self, Alarm, AlarmKind};
use crate::delivery::metrics;
use crate::delivery::pager::Page;
use crate::delivery::{Standing, Trouble};
use crate::storage::Database;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::time_doubted_until;
use crate::values::Clock;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// A message that moves is looked at again after this; one in trouble at every look.
const NEXT_LOOK: Duration = Duration::from_secs(10);
/// A provider that is not called for so long is down.
const PROVIDER_PATIENCE: Duration = Duration::from_secs(60);
/// Rows that do not open are tried once a minute: so long one such try counts.
const UNREADABLE_FOR: Duration = Duration::from_secs(90);
/// A database that does not answer for so long is away.
const AWAY_PATIENCE: Duration = Duration::from_secs(10);
/// What an alarm about a message is about.
const MESSAGE: &str = "message:";

/// The message that an alarm is about, where it is about one.
pub(super) fn message_of(subject: &str) -> Option<Id<of::Message>> {
    subject.strip_prefix(MESSAGE).and_then(Id::parse)
}

/// How long a thing may be wrong before somebody is told, where only this process sees it.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// With a provider that is down.
    pub provider: Duration,
    /// With a database that is away.
    pub database: Duration,
}
impl Default for Patience {
    fn default() -> Self {
        Self { provider: PROVIDER_PATIENCE, database: AWAY_PATIENCE }
    }
}
/// What one process remembers between two looks.
#[derive(Debug, Default)]
pub struct Watch {
    patience: Patience,
    next_look: NextLook,
    failing_since: Option<Instant>,
    away: bool,
}
type NextLook = BTreeMap<Id<of::Message>, Timestamp>;
/// What a look found.
#[derive(Debug, Default)]
struct Seen {
    /// Messages in trouble.
    troubled: Vec<(Urgent, AlarmKind)>,
    /// Causes that this process sees for itself.
    of_process: Vec<(AlarmKind, String)>,
    /// Alarms that go on, and are to be said again.
    again: Vec<Id<of::Alarm>>,
    /// Alarms that go on, and of which it is time to tell.
    untold: Vec<Alarm>,
    /// Alarms whose cause is gone.
    over: Vec<Alarm>,
}
impl Seen {
    fn is_quiet(&self) -> bool {
        let Self { troubled, of_process, again, untold, over } = self;
        troubled.is_empty() && of_process.is_empty() && again.is_empty() && untold.is_empty() && over.is_empty()
    }
}

impl Watch {
    /// A watch with this patience.
    #[must_use]
    pub fn new(patience: Patience) -> Self {
        Self { patience, ..Self::default() }
    }
    /// Looks once. Returns what a pager is to be told; logs and metrics say it too.
    pub async fn look(&mut self, database: &Database, config: &std::sync::Arc<Config>) -> Vec<Page> {
        let (known, mut of_process) = (self.next_look.clone(), self.of_process());
        let clock = database.clock().clone();
        let machine = if database.name() == "sqlite" { "clock:machine" } else { "clock:database" };
        let look = move |tx: &mut Tx<'_>| {
            of_process.extend(of_clocks(tx, &clock, machine)?);
            gather(tx, known, of_process)
        };
        let seen = match database.reading(look).await {
            Ok((seen, next_look)) => {
                self.next_look = next_look;
                seen
            }
            Err(error) => return self.cannot_look(&error, database.clock().now()),
        };
        let mut pages = self.can_look(database.clock().now());
        if !seen.is_quiet() {
            let config = std::sync::Arc::clone(config);
            match database.writing(move |tx| act(tx, &config, seen)).await {
                Ok(done) => pages.extend(told(&done)),
                Err(error) => tracing::warn!(%error, "alarms could not be written down yet"),
            }
        }
        pages
    }
    fn of_process(&self) -> Vec<(AlarmKind, String)> {
        let mut causes: Vec<(AlarmKind, String)> = metrics::breakers()
            .into_iter()
            .filter(|(.., down)| down.is_some_and(|down| down >= self.patience.provider))
            .map(|(channel, name, _)| (AlarmKind::ProviderDown, format!("provider:{}:{name}", channel.as_str())))
            .collect();
        if metrics::unreadable_within(UNREADABLE_FOR) {
            causes.push((AlarmKind::QueueUnreadable, "deliveries".to_owned()));
        }
        causes
    }
    /// The database does not answer, so nothing can be written down there: the log, the metrics and the pager must do.
    fn cannot_look(&mut self, error: &StorageError, now: Timestamp) -> Vec<Page> {
        tracing::warn!(%error, "the watch cannot look into the queue");
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        if self.away || since.elapsed() < self.patience.database {
            return Vec::new();
        }
        self.away = true;
        metrics::alarm(AlarmKind::QueueUnreadable);
        let page = page_of("alarm.raised", None, AlarmKind::QueueUnreadable, "database", now);
        tracing::error!(event = page.event, kind = page.kind.as_str(), subject = page.subject, "alarm raised");
        vec![page]
    }
    fn can_look(&mut self, now: Timestamp) -> Vec<Page> {
        self.failing_since = None;
        if !std::mem::take(&mut self.away) {
            return Vec::new();
        }
        let page = page_of("alarm.cleared", None, AlarmKind::QueueUnreadable, "database", now);
        tracing::info!(event = page.event, kind = page.kind.as_str(), subject = page.subject, "alarm cleared");
        vec![page]
    }
}

/// Whether the clock jumped that this process looks at, or the time leapt since it was last known.
fn of_clocks(tx: &mut Tx<'_>, clock: &Clock, machine: &str) -> Result<Vec<(AlarmKind, String)>, StorageError> {
    let doubted = time_doubted_until(tx)?.is_some();
    let causes = [(clock.offset_seconds().is_some(), machine), (doubted, "clock:leap")];
    let wrong = causes.into_iter().filter(|(wrong, _)| *wrong);
    Ok(wrong.map(|(_, subject)| (AlarmKind::ClockWrong, subject.to_owned())).collect())
}
/// Looks at every urgent message that is going out, each when its time has come, and at the alarms that stand.
fn gather(
    tx: &mut Tx<'_>,
    known: NextLook,
    of_process: Vec<(AlarmKind, String)>,
) -> Result<(Seen, NextLook), StorageError> {
    let now = tx.now()?;
    let open = alarms::open_alarms(tx)?;
    let stands = |kind: AlarmKind, subject: &str| {
        open.iter().find(|alarm| alarm.kind == kind && alarm.subject == subject).map(|alarm| alarm.id)
    };
    let (mut seen, mut next_look, mut going_on) = (Seen::default(), NextLook::new(), Vec::new());
    // What nobody got is over for no clock: it stands until somebody takes it in hand, stops it, or puts it back.
    let unheard: Vec<Id<of::Message>> = open
        .iter()
        .filter(|alarm| alarm.kind == AlarmKind::UrgentWithoutHandover && alarm.acknowledged_at.is_none())
        .filter_map(|alarm| message_of(&alarm.subject))
        .collect();
    for urgent in dispatched::urgent_to_watch(tx, &unheard)? {
        let subject = format!("{MESSAGE}{}", urgent.message);
        let is_raised = open.iter().any(|alarm| alarm.subject == subject);
        let due = known.get(&urgent.message).copied();
        if let Some(due) = due.filter(|due| !is_raised && *due > now) {
            next_look.insert(urgent.message, due);
            continue;
        }
        match trouble_of(tx, &urgent, now)? {
            Some(kind) => match stands(kind, &subject) {
                Some(id) => going_on.push(id),
                None => seen.troubled.push((urgent, kind)),
            },
            // Young ones are looked at each second: the ten seconds are to be told at once.
            None if now.since(urgent.begun_at) >= delivery::NO_HANDOVER => {
                next_look.insert(urgent.message, now.plus(NEXT_LOOK));
            }
            None => {}
        }
    }
    for (kind, subject) in of_process {
        match stands(kind, &subject) {
            Some(id) => going_on.push(id),
            None => seen.of_process.push((kind, subject)),
        }
    }
    for alarm in open {
        let of_message = alarm.subject.starts_with(MESSAGE);
        if going_on.contains(&alarm.id) {
            if !of_message && alarm.is_to_be_said_again(now) {
                seen.again.push(alarm.id);
            }
            if alarms::is_to_be_told(tx, &alarm)? {
                seen.untold.push(alarm);
            }
        } else if of_message || alarm.is_unseen(now) {
            // What another process sees is over when no process has said it for a while.
            seen.over.push(alarm);
        }
    }
    Ok((seen, next_look))
}
/// How many messages a first look finds in trouble, beside those of which an alarm stands. Nothing is written down.
///
/// # Errors
/// When the database fails.
pub fn messages_in_trouble(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    Ok(gather(tx, NextLook::new(), Vec::new())?.0.troubled.len())
}
fn trouble_of(tx: &mut Tx<'_>, urgent: &Urgent, now: Timestamp) -> Result<Option<AlarmKind>, StorageError> {
    if now.since(urgent.begun_at) < delivery::NO_HANDOVER {
        return Ok(None);
    }
    let standings = alarms::standing_of(tx, urgent.batch)?;
    if is_taken_over(tx, urgent, &standings, now)? {
        return Ok(None);
    }
    Ok(delivery::trouble(&standings, urgent.begun_at, now).map(|trouble| match trouble {
        Trouble::NoHandover => AlarmKind::UrgentWithoutHandover,
        Trouble::Stuck => AlarmKind::UrgentStuck,
    }))
}
/// Does the other channel take over within the second? Only what is not urgent has one in reserve.
fn is_taken_over(
    tx: &mut Tx<'_>,
    urgent: &Urgent,
    standings: &[Standing],
    now: Timestamp,
) -> Result<bool, StorageError> {
    let last = standings.iter().filter_map(|standing| standing.last_settled).max();
    let is_over = standings.iter().all(|standing| standing.state.is_final());
    let has_just_failed = is_over && last.is_some_and(|last| now.since(last) < delivery::NO_HANDOVER);
    Ok(urgent.class == Class::NonUrgent && has_just_failed && !delivery::reserves_of(tx, urgent.batch)?.is_empty())
}

/// What was written down.
#[derive(Debug, Default)]
struct Done {
    /// Raised.
    raised: Vec<Alarm>,
    /// Raised earlier, and told only now.
    told: Vec<Alarm>,
    /// Over.
    cleared: Vec<Alarm>,
}
/// Writes down what changed. Of several nodes that saw the same, one raises, and that one tells.
fn act(tx: &mut Tx<'_>, config: &Config, seen: Seen) -> Result<Done, StorageError> {
    let now = tx.now()?;
    let mut done = Done::default();
    for alarm in seen.over {
        if alarms::clear(tx, alarm.id)? {
            done.cleared.push(Alarm { cleared_at: Some(now), ..alarm });
        }
    }
    for alarm in seen.untold {
        if alarms::note_told(tx, alarm.id)? {
            if let Some(id) = message_of(&alarm.subject)
                && let Some(loaded) = store::find(tx, id)?
            {
                notify::officers_that_nothing_leaves(tx, config, loaded.message.facts())?;
            }
            done.told.push(Alarm { told_at: Some(now), ..alarm });
        }
    }
    for id in seen.again {
        alarms::say_again(tx, id)?;
    }
    for (urgent, kind) in seen.troubled {
        // It may have left, or been stopped, since it was looked at.
        let Some(loaded) = store::find(tx, urgent.message)? else { continue };
        if trouble_of(tx, &urgent, now)? != Some(kind) {
            continue;
        }
        let (_, zone) = surroundings(tx, loaded.message.facts().partnership)?;
        if let Some(alarm) = alarms::raise(tx, kind, &format!("{MESSAGE}{}", urgent.message), Some(zone.id))? {
            if alarm.told_at.is_some() {
                notify::officers_that_nothing_leaves(tx, config, loaded.message.facts())?;
            }
            done.raised.push(alarm);
        }
    }
    for (kind, subject) in seen.of_process {
        done.raised.extend(alarms::raise(tx, kind, &subject, None)?);
    }
    Ok(done)
}

/// Says what was written down: in the log under a fixed name and in the metrics, every time; to the pager, which is told of
/// the end of what it was told of.
fn told(done: &Done) -> Vec<Page> {
    let mut pages = Vec::new();
    for alarm in &done.raised {
        metrics::alarm(alarm.kind);
        let (kind, subject) = (alarm.kind.as_str(), &alarm.subject);
        tracing::error!(event = "alarm.raised", alarm = %alarm.id, kind, subject, "alarm raised");
    }
    let to_be_told = done.raised.iter().filter(|alarm| alarm.told_at.is_some()).chain(&done.told);
    pages.extend(
        to_be_told.map(|alarm| page_of("alarm.raised", Some(alarm.id), alarm.kind, &alarm.subject, alarm.raised_at)),
    );
    for alarm in &done.cleared {
        let (kind, subject) = (alarm.kind.as_str(), &alarm.subject);
        tracing::info!(event = "alarm.cleared", alarm = %alarm.id, kind, subject, "alarm cleared");
        if alarm.told_at.is_some() {
            let at = alarm.cleared_at.unwrap_or(alarm.raised_at);
            pages.push(page_of("alarm.cleared", Some(alarm.id), alarm.kind, subject, at));
        }
    }
    pages
}
fn page_of(
    event: &'static str,
    alarm: Option<Id<of::Alarm>>,
    kind: AlarmKind,
    subject: &str,
    timestamp: Timestamp,
) -> Page {
    Page { event, alarm, kind, subject: subject.to_owned(), timestamp }
}
