//! The answer to a request with an `Idempotency-Key`, kept with the work in one transaction for seven days: a phone that
//! asks again on a bad line gets the same answer, and nothing happens twice (accept M7).

use std::time::Duration;

use diesel::prelude::*;

use super::error::GateError;
use crate::http::StoredAnswer;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::ANSWERS_ANSWER;
use crate::storage::schema::answers;

/// How long a key lives.
const LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Who asks for what, with which key.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) owner: String,
    pub(super) key: String,
    pub(super) operation: String,
    pub(super) body_hash: [u8; 32],
}

/// 8 to 100 letters, digits, `-` or `_`.
pub(super) fn acceptable(key: &str) -> bool {
    (8..=100).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The answer given before, if this very request was answered before.
pub(super) fn find(tx: &mut Tx<'_>, asked: &Asked) -> Result<Option<StoredAnswer>, GateError> {
    type Found = (String, Vec<u8>, Vec<u8>);
    let found: Option<Found> = answers::table
        .find((&asked.owner, &asked.key))
        .select((answers::operation, answers::body_hash, answers::answer))
        .first(tx.db())
        .optional()
        .map_err(StorageError::from)?;
    let Some((operation, body_hash, answer)) = found else { return Ok(None) };
    if operation != asked.operation || body_hash != asked.body_hash {
        return Err(GateError::KeyReused);
    }
    Ok(Some(tx.open(ANSWERS_ANSWER, row_name(asked), &answer)?))
}
/// Keeps the answer. A second request at the same moment waits here and then finds a duplicate key.
pub(super) fn keep(tx: &mut Tx<'_>, asked: &Asked, answer: &StoredAnswer) -> Result<(), StorageError> {
    let (now, sealed) = (tx.now()?, tx.seal(ANSWERS_ANSWER, row_name(asked), answer)?);
    diesel::insert_into(answers::table)
        .values((
            answers::owner.eq(&asked.owner),
            answers::idempotency_key.eq(&asked.key),
            answers::operation.eq(&asked.operation),
            answers::body_hash.eq(asked.body_hash.to_vec()),
            answers::answer.eq(sealed),
            answers::created_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(())
}
fn row_name(asked: &Asked) -> String {
    format!("{}/{}", asked.owner, asked.key)
}

/// Deletes the answers whose time is over.
///
/// # Errors
/// When the database fails.
pub fn forget_old_answers(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    let before = tx.now()?.minus(LIFE);
    Ok(diesel::delete(answers::table.filter(answers::created_at.lt(before))).execute(tx.db())?)
}
