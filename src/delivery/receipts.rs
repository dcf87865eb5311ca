//! Reports of providers: kept as they came, and raising the state of a delivery, never lowering it (accept M10, M11).

use std::time::Duration;

use diesel::prelude::*;

use super::bounces;
use super::claim::DOUBTFUL;
use super::faults;
use super::lifecycle::{Channel, State};
use super::links::AttemptName;
use super::metrics;
use crate::on_either;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::{attempts, deliveries, duty_marks, receipts};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// A gateway that took an SMS has so long to say what became of it; operators give up long before.
pub const REPORT_WAIT: Duration = Duration::from_secs(3 * 24 * 3_600);
/// Why an SMS that a gateway took stays where it is: nobody ever said more of it.
pub(super) const NO_REPORT: &str = "no report";
/// How far the reports were waited for, among the marks of the duties.
const MARK: &str = "reports";
/// Rows that are given up in one transaction; the next minute takes the next.
const AT_ONCE: i64 = 1_000;
/// Deliveries looked at again in one go: SQLite takes 32,766 binds.
const CAUGHT_UP_AT_ONCE: usize = 10_000;
/// Different reports of one kind that are kept for an attempt: whoever holds an address of ours may send it what they like.
const KEPT_ONCE: i64 = 20;

/// What a provider says of a delivery.
#[derive(Debug)]
pub(super) struct Report<'a> {
    /// How what it speaks of went.
    pub(super) channel: Channel,
    /// Who says so.
    pub(super) provider: &'a str,
    /// The level as it is kept.
    pub(super) word: &'a str,
    /// What the delivery is raised to, if anything.
    pub(super) level: Option<State>,
    /// The code as it came.
    pub(super) code: &'a str,
    /// What the other side calls it.
    pub(super) reference: Option<&'a str>,
    /// Equal reports on one attempt are kept once.
    pub(super) once: bool,
}

/// Kannel's report types: 1 delivered to the phone, 2 not delivered, 4 queued at the operator, 8 handed to the operator,
/// 16 refused by the operator. Anything else stays unknown and changes nothing.
pub(super) fn level_of(code: &str) -> Option<State> {
    match code {
        "1" => Some(State::AtHandset),
        "2" | "16" => Some(State::Failed),
        "4" | "8" => Some(State::AtOperator),
        _ => None,
    }
}

/// Takes the report of an SMS gateway.
pub(super) fn receive(
    tx: &mut Tx<'_>,
    attempt: AttemptName,
    provider: &str,
    code: &str,
    reference: Option<&str>,
) -> Result<(), StorageError> {
    let level = level_of(code);
    let word = level.map_or("unknown", State::as_str);
    keep(tx, attempt, &Report { channel: Channel::Sms, provider, word, level, code, reference, once: false })
}
/// Keeps a report and raises the delivery it speaks of. An unknown delivery is no error: the sender is done either way.
pub(super) fn keep(tx: &mut Tx<'_>, named: AttemptName, report: &Report<'_>) -> Result<(), StorageError> {
    let (now, delivery) = (tx.now()?, named.delivery);
    let found: Option<(State, Id<of::Person>, Channel, i32, i32)> = {
        let wanted = deliveries::table.filter(deliveries::id.eq(delivery)).select((
            deliveries::state,
            deliveries::person_id,
            deliveries::channel,
            deliveries::attempts,
            deliveries::round_from,
        ));
        match tx.db() {
            crate::storage::Db::Sqlite(c) => wanted.first(c).optional()?,
            crate::storage::Db::Postgres(c) => wanted.for_update().first(c).optional()?,
        }
    };
    let provider = report.provider;
    let found = found.filter(|(_, _, channel, ..)| *channel == report.channel);
    let Some((state, person, channel, attempts, round_from)) = found else {
        tracing::warn!(provider, "a report on a delivery that does not exist");
        return Ok(());
    };
    let attempt = meant(tx, named, attempts, round_from)?;
    if report.once && is_known(tx, (delivery, attempt), report)? {
        return Ok(());
    }
    metrics::receipt(report.level.map_or("unknown", State::as_str));
    // Whatever a gateway fills in, the report is kept: PostgreSQL takes no NUL in a text.
    let printable = |text: &str| text.chars().filter(|letter| !letter.is_control()).collect::<String>();
    diesel::insert_into(receipts::table)
        .values((
            receipts::delivery_id.eq(delivery),
            receipts::provider.eq(provider),
            receipts::level.eq(report.word),
            receipts::code.eq(printable(report.code)),
            receipts::reference.eq(report.reference.map(printable)),
            receipts::received_at.eq(now),
            receipts::attempt.eq(attempt),
        ))
        .execute(tx.db())?;
    let Some(level) = report.level else {
        if report.word == "unknown" {
            tracing::warn!(provider, "a report with an unknown code");
        }
        return Ok(());
    };
    // A gateway without a route refuses a request and reports the refusal as well: while it is not known that somebody has
    // the message, a report that it was not delivered ends nothing. `catch_up` looks at it again.
    if level == State::Failed && state.rank() < State::Unknown.rank() {
        return Ok(());
    }
    // What a first attempt came to says nothing of the next one, which may be with the member by now.
    if level == State::Failed && attempt < attempts && went_out_after(tx, delivery, attempt)? {
        return Ok(());
    }
    // The answer to an earlier request is missing, and this one was turned away: it says nothing of that one.
    if level == State::Failed
        && (state, channel) == (State::Unknown, Channel::Sms)
        && was_turned_away(tx, delivery, attempt)?
    {
        return Ok(());
    }
    let raised = state.raised_to(level);
    if raised == State::AtHandset {
        faults::forgive(tx, person, channel)?;
    }
    if raised != state {
        let reason = match (state, raised) {
            (_, State::Failed) => Some(reason_of(provider, report.code)),
            // The books said otherwise until now: whoever reads them later sees why they changed.
            (State::Expired | State::Failed | State::Cancelled, _) => {
                Some(format!("late report, was {}", state.as_str()))
            }
            _ => None,
        };
        // A report may come before our own answer was settled: the lease is dropped, and the late settlement changes nothing.
        diesel::update(deliveries::table.filter(deliveries::id.eq(delivery)))
            .set((
                deliveries::state.eq(raised),
                deliveries::due_at.eq(None::<Timestamp>),
                deliveries::lease.eq(None::<Id<of::Lease>>),
                deliveries::settled_at.eq(Some(now)),
                deliveries::reason.eq(reason),
            ))
            .execute(tx.db())?;
    }
    Ok(())
}
/// Which attempt is meant: the one that may have been taken among those that share the name. Of an earlier round no more is
/// asked than that it is an earlier one.
fn meant(tx: &mut Tx<'_>, named: AttemptName, attempts: i32, round_from: i32) -> Result<i32, StorageError> {
    let Some(number) = named.said().filter(|number| *number <= attempts) else { return Ok(attempts) };
    let Ok(taken_before) = usize::try_from(number - round_from - 1) else { return Ok(number) };
    let taken: Vec<i32> = attempts::table
        .filter(attempts::delivery_id.eq(named.delivery))
        .filter(attempts::number.gt(round_from))
        .filter(attempts::outcome.eq_any(DOUBTFUL))
        .order(attempts::number)
        .select(attempts::number)
        .load(tx.db())?;
    Ok(taken.get(taken_before).copied().unwrap_or(attempts))
}
/// Is there a later attempt that somebody may have taken?
fn went_out_after(tx: &mut Tx<'_>, delivery: i64, attempt: i32) -> Result<bool, StorageError> {
    let later: i64 = attempts::table
        .filter(attempts::delivery_id.eq(delivery))
        .filter(attempts::number.gt(attempt))
        .filter(attempts::outcome.is_null().or(attempts::outcome.eq_any(DOUBTFUL)))
        .count()
        .get_result(tx.db())?;
    Ok(later > 0)
}
/// The reason of a delivery that failed by a report; `blame` reads it.
fn reason_of(provider: &str, code: &str) -> String {
    let word = if provider == bounces::PROVIDER { bounces::PROVIDER } else { "report" };
    format!("{word} {code}")
}
/// Whether the provider said that it does not take this attempt now, or was not even asked.
fn was_turned_away(tx: &mut Tx<'_>, delivery: i64, attempt: i32) -> Result<bool, StorageError> {
    let outcome: Option<Option<String>> = attempts::table
        .filter(attempts::delivery_id.eq(delivery))
        .filter(attempts::number.eq(attempt))
        .select(attempts::outcome)
        .first(tx.db())
        .optional()?;
    Ok(outcome.flatten().as_deref() == Some("deferred"))
}
/// Has the same been said before of this attempt, or enough? What was put back into the queue and tried again may come back
/// again.
fn is_known(tx: &mut Tx<'_>, (delivery, attempt): (i64, i32), report: &Report<'_>) -> Result<bool, StorageError> {
    let of_it = receipts::table
        .filter(receipts::delivery_id.eq(delivery))
        .filter(receipts::attempt.eq(attempt))
        .filter(receipts::provider.eq(report.provider));
    let equal = of_it.filter(receipts::level.eq(report.word)).filter(receipts::code.eq(report.code));
    let equal: i64 = equal.count().get_result(tx.db())?;
    let all: i64 = of_it.count().get_result(tx.db())?;
    Ok(equal > 0 || all >= KEPT_ONCE)
}

/// Ends the waiting for reports that never came: "accepted" is then all that will be known of these SMS, it says so, and
/// nothing is sent again. A report that comes all the same still raises them. Reads what was settled since the last look and
/// no more. Returns how many were given up.
///
/// # Errors
/// When the database fails.
pub fn give_up_reports(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    let until = tx.now()?.minus(REPORT_WAIT);
    let mark: Option<Timestamp> =
        duty_marks::table.find(MARK).select(duty_marks::reached_at).first(tx.db()).optional()?;
    let silent: Vec<(i64, Option<Timestamp>)> = deliveries::table
        // This index has them in their order, and holds a week at most.
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("deliveries.address IS NOT NULL"))
        .filter(deliveries::settled_at.ge(mark.or(Some(Timestamp::from_micros(0)))))
        .filter(deliveries::settled_at.le(Some(until)))
        .filter(deliveries::channel.eq(Channel::Sms))
        .filter(deliveries::state.eq(State::Accepted))
        .filter(deliveries::reason.is_null())
        .order(deliveries::settled_at)
        .limit(AT_ONCE)
        .select((deliveries::id, deliveries::settled_at))
        .load(tx.db())?;
    let is_all = i64::try_from(silent.len()).unwrap_or(i64::MAX) < AT_ONCE;
    // Those of the last moment may not all have been among them; whoever was given up is not found again.
    let reached = if is_all { until } else { silent.last().and_then(|(_, at)| *at).unwrap_or(until) };
    let given_up = diesel::update(deliveries::table.filter(deliveries::id.eq_any(silent.iter().map(|(id, _)| *id))))
        // A report may have come meanwhile.
        .filter(deliveries::state.eq(State::Accepted))
        .filter(deliveries::reason.is_null())
        .set(deliveries::reason.eq(Some(NO_REPORT)))
        .execute(tx.db())?;
    // A clock that was doubted may have gone back: a mark does not.
    if mark.is_none_or(|mark| mark < reached) {
        on_either!(tx, |c| diesel::insert_into(duty_marks::table)
            .values((duty_marks::duty.eq(MARK), duty_marks::reached_at.eq(reached)))
            .on_conflict(duty_marks::duty)
            .do_update()
            .set(duty_marks::reached_at.eq(reached))
            .execute(c))?;
    }
    metrics::no_report(given_up);
    Ok(given_up)
}

/// What was reported as not delivered before the answer was settled that says who had taken it: it is believed only now, and
/// only of deliveries that stand as taken. A report on an attempt after which another may have been taken is about that one
/// alone.
pub(super) fn catch_up(tx: &mut Tx<'_>, taken: &[i64]) -> Result<(), StorageError> {
    for taken in taken.chunks(CAUGHT_UP_AT_ONCE) {
        catch_up_some(tx, taken)?;
    }
    Ok(())
}
fn catch_up_some(tx: &mut Tx<'_>, taken: &[i64]) -> Result<(), StorageError> {
    let refused: Vec<(i64, i32, String, String)> = receipts::table
        .inner_join(deliveries::table.on(deliveries::id.eq(receipts::delivery_id)))
        .filter(receipts::delivery_id.eq_any(taken))
        .filter(receipts::level.eq(State::Failed.as_str()))
        .filter(receipts::attempt.gt(deliveries::round_from))
        .order(receipts::id)
        .select((receipts::delivery_id, receipts::attempt, receipts::provider, receipts::code))
        .load(tx.db())?;
    for (delivery, attempt, provider, code) in refused {
        if provider != bounces::PROVIDER && was_turned_away(tx, delivery, attempt)? {
            continue;
        }
        if went_out_after(tx, delivery, attempt)? {
            continue;
        }
        diesel::update(deliveries::table.filter(deliveries::id.eq(delivery)))
            .filter(deliveries::state.eq(State::Accepted))
            .set((deliveries::state.eq(State::Failed), deliveries::reason.eq(Some(reason_of(&provider, &code)))))
            .execute(tx.db())?;
    }
    Ok(())
}
