//! Letters of the system itself: invitations, codes, notices. The same queue and channels as messages, a lane of their own.

use std::time::Duration;

use super::content::{Body, put_content};
use super::lifecycle::{Channel, Lane};
use super::queue::{Fate, NewDelivery, enqueue};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::texts::Letter;
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::PhoneNumber;
use crate::values::of;

/// A letter that has not left after so long is no longer of use.
const LETTER_LIFE: Duration = Duration::from_secs(3 * 24 * 3600);

/// To whom a letter goes.
#[derive(Debug, Clone, Copy)]
pub struct LetterTo<'a> {
    /// The person.
    pub person: Id<of::Person>,
    /// Their language.
    pub language: Language,
    /// Where.
    pub email: &'a EmailAddress,
}

fn enqueue_one(
    tx: &mut Tx<'_>,
    person: Id<of::Person>,
    language: Language,
    channel: Channel,
    address: &str,
    body: &Body,
) -> Result<(), StorageError> {
    let batch = Id::<of::Batch>::new().uuid();
    let content = put_content(tx, batch, language, channel, body)?;
    let now = tx.now()?;
    enqueue(
        tx,
        batch,
        vec![NewDelivery {
            person,
            channel,
            lane: Lane::Letter,
            membership: None,
            address: Some(address.to_owned()),
            fate: Fate::Due { content, at: now },
            deadline: now.plus(LETTER_LIFE),
        }],
    )?;
    tx.nudge();
    Ok(())
}

/// Puts a mail into the queue, in the caller's transaction.
///
/// # Errors
/// When the database fails.
pub fn enqueue_letter(tx: &mut Tx<'_>, to: LetterTo<'_>, letter: Letter) -> Result<(), StorageError> {
    let body = Body { subject: letter.subject, text: letter.text, html: Some(letter.html) };
    enqueue_one(tx, to.person, to.language, Channel::Email, to.email.for_envelope(), &body)
}
/// Puts an SMS into the queue, in the caller's transaction.
///
/// # Errors
/// When the database fails.
pub fn enqueue_text(
    tx: &mut Tx<'_>,
    person: Id<of::Person>,
    language: Language,
    phone: &PhoneNumber,
    text: String,
) -> Result<(), StorageError> {
    enqueue_one(
        tx,
        person,
        language,
        Channel::Sms,
        phone.for_dialling(),
        &Body { subject: String::new(), text, html: None },
    )
}
