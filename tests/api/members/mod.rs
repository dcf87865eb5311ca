//! Members: how they come, how they are shown, how they go.

mod applying;
mod deciding;
mod inbound;
mod leaving;
mod listing;
mod neighbourhood;
mod reached;
mod scanned;
mod unreachable;

use diesel::prelude::*;
use vigie::delivery::{self, Body, Channel, Fate, Lane, NewDelivery};
use vigie::storage::schema::memberships;
use vigie::storage::{StorageError, Tx};
use vigie::values::{Id, Language, of};

use crate::support::Town;

const HOUR: std::time::Duration = std::time::Duration::from_secs(3_600);

/// A message to a member waits on both channels.
async fn something_waits(town: &Town, member: Id<of::Membership>) {
    town.db(move |tx| plan_for(tx, member)).await;
}
fn plan_for(tx: &mut Tx<'_>, member: Id<of::Membership>) -> Result<(), StorageError> {
    let (batch, now) = (Id::<of::Batch>::new().uuid(), tx.now()?);
    let body = Body { subject: "x".to_owned(), text: "x".to_owned(), html: None };
    let person: Id<of::Person> = memberships::table.find(member).select(memberships::person_id).first(tx.db())?;
    for channel in [Channel::Email, Channel::Sms] {
        let content = delivery::put_content(tx, batch, Language::Fr, channel, &body)?;
        let new = NewDelivery {
            person,
            channel,
            lane: Lane::NonUrgent,
            membership: Some(member),
            address: Some("nobody@elsewhere.example".to_owned()),
            fate: Fate::Due { content, at: now.plus(HOUR) },
            deadline: now.plus(2 * HOUR),
        };
        delivery::enqueue(tx, batch, vec![new])?;
    }
    Ok(())
}
