//! What is handed over: the bytes of one letter or SMS, kept once for all recipients of a language and channel.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::lifecycle::Channel;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::CONTENTS_BODY;
use crate::storage::schema::contents;
use crate::values::Id;
use crate::values::Language;
use crate::values::hex;
use crate::values::of;

/// Subject, text and HTML of a mail, or the text of an SMS. Debug shows nothing: letters hold codes and links.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Subject of a mail; empty for an SMS.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The HTML of a mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}
impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹body›")
    }
}
impl Body {
    /// SHA-256 of the canonical bytes, in hex: what an approval binds (accept N1).
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for part in [self.subject.as_str(), self.text.as_str(), self.html.as_deref().unwrap_or_default()] {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        hex(&hasher.finalize())
    }
}

/// The content of one language and channel of a batch, where it is kept already.
///
/// # Errors
/// When the database fails.
pub fn content_of(
    tx: &mut Tx<'_>,
    batch: uuid::Uuid,
    language: Language,
    channel: Channel,
) -> Result<Option<Id<of::Content>>, StorageError> {
    Ok(contents::table
        .filter(contents::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        .filter(contents::language.eq(language))
        .filter(contents::channel.eq(channel))
        .select(contents::id)
        .first(tx.db())
        .optional()?)
}
/// Keeps the bytes of one language and channel of a batch.
///
/// # Errors
/// When the database fails.
pub fn put_content(
    tx: &mut Tx<'_>,
    batch: uuid::Uuid,
    language: Language,
    channel: Channel,
    body: &Body,
) -> Result<Id<of::Content>, StorageError> {
    let id = Id::new();
    let (now, sealed) = (tx.now()?, tx.seal(CONTENTS_BODY, id, body)?);
    diesel::insert_into(contents::table)
        .values((
            contents::id.eq(id),
            contents::batch_id.eq(Id::<of::Batch>::from_uuid(batch)),
            contents::language.eq(language),
            contents::channel.eq(channel),
            contents::body.eq(Some(sealed)),
            contents::hash.eq(body.hash()),
            contents::created_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(id)
}
