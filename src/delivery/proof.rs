//! The proof that what was handed over is what was approved: every mail and SMS of a batch is made again from what was
//! approved, and its hash compared with the hash of the bytes that went to the provider (accept N1).

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::channel::Parcel;
use super::content::Body;
use super::courier::{Written, parcel};
use super::email::{MailSender, Template};
use super::lifecycle::Channel;
use super::queue::row_name;
use super::sms::sms_digest;
use crate::config::Config;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::{CONTENTS_BODY, DELIVERIES_ADDRESS};
use crate::storage::schema::{attempts, contents, deliveries};
use crate::values::Id;
use crate::values::Language;
use crate::values::Timestamp;
use crate::values::of;

/// Attempts looked at in one go.
const PAGE: i64 = 1_000;

/// What one language says on one channel.
#[derive(Debug, Clone, Serialize)]
pub struct ContentProof {
    /// The language.
    pub language: &'static str,
    /// The channel.
    pub channel: &'static str,
    /// SHA-256 written down when it was approved, in hex.
    pub approved: String,
    /// SHA-256 of what is kept, in hex; none once it was forgotten.
    pub kept: Option<String>,
}
/// What became of the attempts of a batch with one provider.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptsProof {
    /// The bytes handed over are the approved ones, filled in for the recipient.
    pub equal: u64,
    /// They are not.
    pub different: u64,
    /// Nothing was handed over, or nobody lived to say what.
    pub nothing_handed_over: u64,
    /// The address or the content is forgotten: they cannot be made again.
    pub forgotten: u64,
}
/// The proof of a batch.
#[derive(Debug, Serialize)]
pub struct BatchProof {
    /// What was approved.
    pub contents: Vec<ContentProof>,
    /// What was handed over, by provider.
    pub attempts: Vec<(String, AttemptsProof)>,
    /// The deliveries and attempts that are different, by their numbers; a hundred at most.
    pub different: Vec<(i64, i32)>,
}
impl BatchProof {
    /// Nothing is other than it was approved.
    #[must_use]
    pub fn holds(&self) -> bool {
        let unchanged = |content: &ContentProof| content.kept.as_ref().is_none_or(|kept| *kept == content.approved);
        self.contents.iter().all(unchanged) && self.attempts.iter().all(|(_, proof)| proof.different == 0)
    }
}

type ContentColumns = (Id<of::Content>, Language, Channel, Option<Vec<u8>>, String);
type AttemptColumns = (
    (i64, i32, String, Timestamp, Option<Vec<u8>>),
    (Id<of::Person>, Channel, Option<Id<of::Content>>, Option<Id<of::Membership>>, Option<Vec<u8>>),
);

/// Proves a batch.
///
/// # Errors
/// When the database fails, or the sender in the settings cannot be used.
pub fn prove(tx: &mut Tx<'_>, config: &Config, batch: Uuid) -> Result<BatchProof, StorageError> {
    let sender = MailSender::of(config).map_err(|fault| StorageError::Broken(fault.to_string()))?;
    let id = Id::<of::Batch>::from_uuid(batch);
    let found: Vec<ContentColumns> = contents::table
        .filter(contents::batch_id.eq(id))
        .order((contents::language, contents::channel))
        .select((contents::id, contents::language, contents::channel, contents::body, contents::hash))
        .load(tx.db())?;
    let (mut proved, mut bodies) = (Vec::new(), HashMap::new());
    for (id, language, channel, sealed, approved) in found {
        let body = sealed.and_then(|sealed| tx.open::<Body>(CONTENTS_BODY, id, &sealed).ok()).map(Arc::new);
        proved.push(ContentProof {
            language: language.as_str(),
            channel: channel.as_str(),
            approved,
            kept: body.as_ref().map(|body| body.hash()),
        });
        if let Some(body) = body {
            bodies.insert(id, body);
        }
    }
    let again = Again { config, sender, batch, bodies, templates: HashMap::new() };
    let (attempts, different) = compare(tx, again)?;
    Ok(BatchProof { contents: proved, attempts, different })
}

struct Again<'a> {
    config: &'a Config,
    sender: MailSender,
    batch: Uuid,
    bodies: HashMap<Id<of::Content>, Arc<Body>>,
    templates: HashMap<(Id<of::Content>, bool), Template>,
}
impl Again<'_> {
    /// The hash of what would be handed over; none when it cannot be made any more.
    fn digest(&mut self, tx: &Tx<'_>, columns: &AttemptColumns) -> Option<[u8; 32]> {
        let ((delivery, attempt, _, at, _), (person, channel, content, membership, address)) = columns;
        let content = (*content)?;
        let body = Arc::clone(self.bodies.get(&content)?);
        let name = row_name(self.batch, *person, *channel);
        let address = tx.open::<String>(DELIVERIES_ADDRESS, name, address.as_deref()?).ok()?;
        let written = Written {
            delivery: *delivery,
            batch: self.batch,
            person: *person,
            channel: *channel,
            membership: *membership,
            attempt: *attempt,
            address,
            content,
            body,
            at: *at,
            deadline_in: std::time::Duration::ZERO,
        };
        let parcel = parcel(self.config, tx.keys(), written);
        match channel {
            Channel::Sms => Some(sms_digest(&parcel)),
            Channel::Email => Some(Sha256::digest(self.mail(&parcel)?).into()),
        }
    }
    fn mail(&mut self, parcel: &Parcel) -> Option<Vec<u8>> {
        let key = (parcel.content, parcel.links.is_some());
        if !self.templates.contains_key(&key) {
            self.templates.insert(key, Template::new(&self.sender, &parcel.body, parcel.links.is_some()).ok()?);
        }
        self.templates.get(&key)?.fill(parcel).ok()
    }
}

type Compared = (Vec<(String, AttemptsProof)>, Vec<(i64, i32)>);
fn compare(tx: &mut Tx<'_>, mut again: Again<'_>) -> Result<Compared, StorageError> {
    let (mut counts, mut different): Compared = Default::default();
    let mut after = 0_i64;
    loop {
        let page: Vec<(i64, AttemptColumns)> = attempts::table
            .inner_join(deliveries::table.on(deliveries::id.eq(attempts::delivery_id)))
            .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(again.batch)))
            .filter(attempts::id.gt(after))
            .order(attempts::id)
            .limit(PAGE)
            .select((
                attempts::id,
                (
                    (
                        attempts::delivery_id,
                        attempts::number,
                        attempts::provider,
                        attempts::started_at,
                        attempts::digest,
                    ),
                    (
                        deliveries::person_id,
                        deliveries::channel,
                        deliveries::content_id,
                        deliveries::membership_id,
                        deliveries::address,
                    ),
                ),
            ))
            .load(tx.db())?;
        let Some((last, _)) = page.last() else { return Ok((counts, different)) };
        after = *last;
        for (_, columns) in &page {
            let ((delivery, attempt, provider, _, handed_over), _) = columns;
            let place = match counts.iter().position(|(name, _)| name == provider) {
                Some(place) => place,
                None => {
                    counts.push((provider.clone(), AttemptsProof::default()));
                    counts.len() - 1
                }
            };
            let Some((_, count)) = counts.get_mut(place) else { continue };
            match (handed_over, again.digest(tx, columns)) {
                (None, _) => count.nothing_handed_over += 1,
                (Some(_), None) => count.forgotten += 1,
                (Some(handed_over), Some(made)) if handed_over.as_slice() == made => count.equal += 1,
                (Some(_), Some(_)) => {
                    count.different += 1;
                    if different.len() < 100 {
                        different.push((*delivery, *attempt));
                    }
                }
            }
        }
    }
}
