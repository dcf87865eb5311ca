//! The versions of a message: every text that was saved once, with its bytes and its hash; none ever changes.

use diesel::prelude::*;

use super::message::{AudienceRule, Texts};
use super::render::Rendered;
use crate::storage::Json;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::message_versions;
use crate::values::Id;
use crate::values::of;

/// An immutable version of a message.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) id: Id<of::MessageVersion>,
    pub(super) number: i32,
    pub(super) texts: Texts,
    pub(super) rendered: Rendered,
    pub(super) audience: AudienceRule,
    pub(super) hash: String,
}
type VersionColumns = (Id<of::MessageVersion>, i32, Json<Texts>, Json<Rendered>, Json<AudienceRule>, String);
pub(super) fn load_version(tx: &mut Tx<'_>, message: Id<of::Message>, number: i32) -> Result<Version, StorageError> {
    let found: Option<VersionColumns> = message_versions::table
        .filter(message_versions::message_id.eq(message))
        .filter(message_versions::number.eq(number))
        .select((
            message_versions::id,
            message_versions::number,
            message_versions::texts,
            message_versions::rendered,
            message_versions::audience,
            message_versions::hash,
        ))
        .first(tx.db())
        .optional()?;
    let (id, number, texts, rendered, audience, hash) =
        found.ok_or_else(|| StorageError::Corrupt(format!("message {message} has no version {number}")))?;
    Ok(Version { id, number, texts: texts.0, rendered: rendered.0, audience: audience.0, hash })
}
/// Everybody who wrote a version.
pub(super) fn editors(tx: &mut Tx<'_>, message: Id<of::Message>) -> Result<Vec<Id<of::Account>>, StorageError> {
    Ok(message_versions::table
        .filter(message_versions::message_id.eq(message))
        .select(message_versions::created_by)
        .distinct()
        .load(tx.db())?)
}
pub(super) fn insert_version(
    tx: &mut Tx<'_>,
    message: Id<of::Message>,
    version: &Version,
    by: Id<of::Account>,
) -> Result<(), StorageError> {
    let now = tx.now()?;
    diesel::insert_into(message_versions::table)
        .values((
            message_versions::id.eq(version.id),
            message_versions::message_id.eq(message),
            message_versions::number.eq(version.number),
            message_versions::texts.eq(Json(version.texts.clone())),
            message_versions::rendered.eq(Json(version.rendered.clone())),
            message_versions::audience.eq(Json(version.audience.clone())),
            message_versions::hash.eq(&version.hash),
            message_versions::created_by.eq(by),
            message_versions::created_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(())
}
