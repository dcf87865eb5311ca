//! What follows a message that has left: an update, its end, feedback, or a correction to exactly those who got it
//! (duty P7, accept M12).

use super::draft::{Beginning, begin};
use super::error::MessageError;
use super::message::{AudienceRule, Class, Kind};
use super::payloads::{FollowUp, MessageView};
use super::rules;
use super::store;
use crate::access::Role;
use crate::config::Config;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Writes it down as a draft of the same thread.
pub(super) fn follow_up(
    tx: &mut Tx<'_>,
    config: &Config,
    id: Id<of::Message>,
    author: Id<of::Account>,
    role: Role,
    new: FollowUp,
) -> Result<MessageView, MessageError> {
    let earlier = store::find(tx, id)?.ok_or(MessageError::NotFound)?;
    let facts = earlier.message.facts();
    rules::may_follow(new.kind, earlier.message.has_left())?;
    let class = match new.kind {
        Kind::Feedback => Class::NonUrgent,
        _ => facts.class,
    };
    let beginning = Beginning {
        class,
        kind: new.kind,
        // An exercise stays an exercise (accept M13).
        mode: facts.mode,
        source: new.source,
        texts: new.texts,
        validity_minutes: new.validity_minutes,
        thread: Some(facts.thread),
        follows: Some(id),
        audience: AudienceRule::RecipientsOf(id),
    };
    begin(tx, config, facts.partnership, author, role, beginning)
}
