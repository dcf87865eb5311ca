//! The queue for whoever sits at the machine: what waits, what is dead and why, what is wrong.

use std::fmt::Write;

use anyhow::Context;

use crate::delivery;
use crate::delivery::alarms::open_alarms;
use crate::messages;
use crate::storage::Database;
use crate::storage::StorageError;
use crate::values::Id;
use crate::values::of;

/// Depths, oldest, dead letters by reason and open alarms, as text.
///
/// # Errors
/// When the database fails.
pub fn told(database: &Database) -> anyhow::Result<String> {
    let (depths, dead, alarms) = database.read(|tx| {
        Ok::<_, StorageError>((delivery::depths(tx)?, delivery::dead_letters_by_reason(tx)?, open_alarms(tx)?))
    })?;
    let mut told = format!("{:<8}{:<12}{:>9}{:>12}{:>14}\n", "channel", "lane", "waiting", "attempting", "oldest due");
    for depth in depths {
        let (channel, lane) = (depth.channel.as_str(), depth.lane.as_str());
        let most = if depth.is_longer { "+" } else { "" };
        let waiting = format!("{}{most}", depth.waiting);
        writeln!(told, "{channel:<8}{lane:<12}{waiting:>9}{:>12}{:>12} s", depth.attempting, depth.oldest_seconds)?;
    }
    writeln!(told, "\ndead letters: {}", dead.iter().map(|(.., count, _)| count).sum::<i64>())?;
    for (channel, state, reason, count, last) in dead {
        let last = last.map(|at| format!(" (last {at})")).unwrap_or_default();
        let reason = reason.unwrap_or_else(|| "no reason".to_owned());
        writeln!(told, "{count:>9} {:<6}{:<9}{reason}{last}", channel.as_str(), state.as_str())?;
    }
    writeln!(told, "\nopen alarms: {}", alarms.len())?;
    for alarm in alarms {
        let hand = if alarm.acknowledged_at.is_some() { ", in hand" } else { "" };
        writeln!(told, "  {} {} since {}{hand}", alarm.kind.as_str(), alarm.subject, alarm.raised_at)?;
    }
    Ok(told)
}

/// Puts the dead letters of a message back into the queue; what was done, as text.
///
/// # Errors
/// What the rules say, with what to do instead.
pub fn requeued(database: &Database, message: Id<of::Message>) -> anyhow::Result<String> {
    let (requeued, left) = database
        .write(|tx| messages::requeue_from_the_console(tx, message))
        .map_err(|error| anyhow::anyhow!(error.advice()))
        .with_context(|| format!("message {message}"))?;
    let mut told = format!("{requeued} on their way again\n");
    for (reason, count) in left {
        writeln!(told, "{count} left: {reason}")?;
    }
    Ok(told)
}
