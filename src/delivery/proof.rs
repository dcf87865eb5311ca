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
use super::email::{EDITION, MailSender, Template};
use super::letterhead;
use super::lifecycle::Channel;
use super::queue::row_name;
use super::retry::{FELL_OVER, NO_ANSWER, POISON_REASON};
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
    /// Nothing was handed over.
    pub nothing_handed_over: u64,
    /// Nobody has said what was handed over, if anything: the attempt is under way, or its worker did not live to tell.
    pub unsaid: u64,
    /// The address or the content is forgotten: they cannot be made again.
    pub forgotten: u64,
    /// Another edition of the program wrote them: they can be made again by that one only.
    pub other_edition: u64,
}
/// What a proof comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofVerdict {
    /// Every byte that was handed over is as it was approved.
    Proved,
    /// Nothing speaks against it, but something, or everything, can no longer be made again, or not yet.
    NotProvable,
    /// Something is other than it was approved.
    DoesNotHold,
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
    /// What it comes to. What was forgotten proves nothing: without a single equal attempt, or with one that cannot be made
    /// again, nobody may read "proved".
    #[must_use]
    pub fn verdict(&self) -> ProofVerdict {
        let changed = |content: &ContentProof| content.kept.as_ref().is_some_and(|kept| *kept != content.approved);
        let sum = |of: fn(&AttemptsProof) -> u64| self.attempts.iter().map(|(_, proof)| of(proof)).sum::<u64>();
        if self.contents.iter().any(changed) || sum(|proof| proof.different) > 0 {
            return ProofVerdict::DoesNotHold;
        }
        let open = sum(|proof| proof.unsaid + proof.forgotten + proof.other_edition);
        let is_whole = self.contents.iter().all(|content| content.kept.is_some());
        if sum(|proof| proof.equal) > 0 && open == 0 && is_whole {
            ProofVerdict::Proved
        } else {
            ProofVerdict::NotProvable
        }
    }
}

type ContentColumns = (Id<of::Content>, Language, Channel, Option<Vec<u8>>, String);
type AttemptColumns = (
    (i64, i32, String, Timestamp, Option<String>, Option<String>, Option<Vec<u8>>, Option<i64>),
    (Id<of::Person>, Channel, Option<Id<of::Content>>, Option<Id<of::Membership>>, Option<Vec<u8>>),
);

/// Proves a batch.
///
/// # Errors
/// When the database fails, or the sender in the settings cannot be used.
pub fn prove(tx: &mut Tx<'_>, config: &Config, batch: Uuid) -> Result<BatchProof, StorageError> {
    let id = Id::<of::Batch>::from_uuid(batch);
    let found: Vec<ContentColumns> = contents::table
        .filter(contents::batch_id.eq(id))
        .order((contents::language, contents::channel))
        .select((contents::id, contents::language, contents::channel, contents::body, contents::hash))
        .load(tx.db())?;
    let (mut proved, mut bodies) = (Vec::new(), HashMap::new());
    for (id, language, channel, sealed, approved) in found {
        // What is kept and does not open is not forgotten: the wrong key file, or somebody's hand.
        let open = |sealed: Vec<u8>| tx.open::<Body>(CONTENTS_BODY, id, &sealed).map(Arc::new);
        let body = sealed.map(open).transpose()?;
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
    let again = Again { config, batch, bodies, letterheads: HashMap::new() };
    let (attempts, different) = compare(tx, again)?;
    Ok(BatchProof { contents: proved, attempts, different })
}

struct Again<'a> {
    config: &'a Config,
    batch: Uuid,
    bodies: HashMap<Id<of::Content>, Arc<Body>>,
    letterheads: HashMap<i64, Press>,
}
/// What an attempt was written with.
struct Press {
    edition: i32,
    config: Config,
    sender: MailSender,
    templates: HashMap<(Id<of::Content>, bool), Template>,
}
impl Press {
    fn mail(&mut self, parcel: &Parcel) -> Option<Vec<u8>> {
        let key = (parcel.content, parcel.links.is_some());
        if !self.templates.contains_key(&key) {
            self.templates.insert(key, Template::new(&self.sender, &parcel.body, parcel.links.is_some()).ok()?);
        }
        self.templates.get(&key)?.fill(parcel).ok()
    }
}
/// What can be said of an attempt.
enum Made {
    Digest([u8; 32]),
    Forgotten,
    OtherEdition,
}
impl Again<'_> {
    /// Remembers under which letterheads these were written.
    fn know(&mut self, tx: &mut Tx<'_>, page: &[(i64, AttemptColumns)]) -> Result<(), StorageError> {
        let unknown = |id: &i64| !self.letterheads.contains_key(id);
        let mut ids: Vec<i64> = page.iter().filter_map(|(_, ((.., id), _))| *id).filter(unknown).collect();
        ids.sort_unstable();
        ids.dedup();
        for (id, letterhead) in letterhead::find(tx, &ids)? {
            let config = letterhead.put_on(self.config);
            let sender = MailSender::of(&config).map_err(|fault| StorageError::Broken(fault.to_string()))?;
            let press = Press { edition: letterhead.edition, config, sender, templates: HashMap::new() };
            self.letterheads.insert(id, press);
        }
        Ok(())
    }
    /// What would be handed over, made again.
    fn make(&mut self, tx: &Tx<'_>, columns: &AttemptColumns) -> Result<Made, StorageError> {
        let ((.., letterhead), (_, channel, ..)) = columns;
        let Some(press) = letterhead.and_then(|id| self.letterheads.get_mut(&id)) else { return Ok(Made::Forgotten) };
        if *channel == Channel::Email && press.edition != EDITION {
            return Ok(Made::OtherEdition);
        }
        let Some(parcel) = parcel_of(tx, self.batch, &self.bodies, &press.config, columns)? else {
            return Ok(Made::Forgotten);
        };
        Ok(match channel {
            Channel::Sms => Made::Digest(sms_digest(&parcel)),
            Channel::Email => {
                press.mail(&parcel).map_or(Made::Forgotten, |mail| Made::Digest(Sha256::digest(mail).into()))
            }
        })
    }
}
fn parcel_of(
    tx: &Tx<'_>,
    batch: Uuid,
    bodies: &HashMap<Id<of::Content>, Arc<Body>>,
    config: &Config,
    columns: &AttemptColumns,
) -> Result<Option<Parcel>, StorageError> {
    let ((delivery, attempt, _, at, ..), (person, channel, content, membership, address)) = columns;
    let kept = content.and_then(|content| Some((content, bodies.get(&content)?, address.as_deref()?)));
    let Some((content, body, address)) = kept else { return Ok(None) };
    let address = tx.open::<String>(DELIVERIES_ADDRESS, row_name(batch, *person, *channel), address)?;
    let written = Written {
        delivery: *delivery,
        batch,
        person: *person,
        channel: *channel,
        membership: *membership,
        attempt: *attempt,
        // Stands on no envelope: what was handed over does not hold it.
        named: *attempt,
        address,
        content,
        body: Arc::clone(body),
        at: *at,
        deadline_in: std::time::Duration::ZERO,
    };
    Ok(Some(parcel(config, tx.keys(), written)))
}

/// Whether somebody has said that nothing was handed over: who fell, or never came back, may have been in the middle of it.
fn is_said(outcome: Option<&str>, reason: Option<&str>) -> bool {
    // As a doubt about an earlier attempt may have been put before it (`retry::ended`).
    let reason = reason.map(|reason| reason.strip_prefix(NO_ANSWER).unwrap_or(reason));
    matches!(outcome, Some("deferred" | "refused")) && !matches!(reason, Some(FELL_OVER | POISON_REASON))
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
                        attempts::outcome,
                        attempts::reason,
                        attempts::digest,
                        attempts::letterhead_id,
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
        again.know(tx, &page)?;
        for (_, columns) in &page {
            let ((delivery, attempt, provider, _, outcome, reason, handed_over, _), _) = columns;
            let place = match counts.iter().position(|(name, _)| name == provider) {
                Some(place) => place,
                None => {
                    counts.push((provider.clone(), AttemptsProof::default()));
                    counts.len() - 1
                }
            };
            let Some((_, count)) = counts.get_mut(place) else { continue };
            let Some(handed_over) = handed_over else {
                match is_said(outcome.as_deref(), reason.as_deref()) {
                    true => count.nothing_handed_over += 1,
                    false => count.unsaid += 1,
                }
                continue;
            };
            match again.make(tx, columns)? {
                Made::Forgotten => count.forgotten += 1,
                Made::OtherEdition => count.other_edition += 1,
                Made::Digest(made) if handed_over.as_slice() == made => count.equal += 1,
                Made::Digest(_) => {
                    count.different += 1;
                    if different.len() < 100 {
                        different.push((*delivery, *attempt));
                    }
                }
            }
        }
    }
}
