//! Sessions: one sign-in from password to sign-out, kept alive by refresh tokens that are used once. A token used twice
//! was stolen or lost: the whole session ends.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;

use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::random_bytes;
use crate::storage::schema::{refresh_tokens, sessions};
use crate::storage::token_hash;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// How long a session lives without being renewed.
pub const REFRESH_LIFE: Duration = Duration::from_secs(14 * 24 * 3600);

/// A session and the token that renews it, shown once.
#[derive(Debug)]
pub struct OpenedSession {
    /// Whose it is.
    pub account: Id<of::Account>,
    /// Its identifier.
    pub session: Id<of::Session>,
    /// 256 random bits, base64url; only its hash is stored.
    pub refresh_token: String,
}

/// What became of a refresh token.
#[derive(Debug)]
pub enum Renewal {
    /// The session goes on with a new token.
    Renewed(OpenedSession),
    /// The token had been used before: the session was ended.
    Reused(Id<of::Account>),
    /// Unknown or expired, or the session has ended.
    Unknown,
}

/// A session as its owner sees it.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct SessionRow {
    /// Its identifier.
    pub id: Id<of::Session>,
    /// Whose it is.
    pub account_id: Id<of::Account>,
    /// Since when.
    pub created_at: Timestamp,
    /// Last renewed.
    pub last_used_at: Timestamp,
    /// Ends by itself then.
    pub expires_at: Timestamp,
    /// When identity was last proved afresh.
    pub stepped_up_at: Option<Timestamp>,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

fn issue(tx: &mut Tx<'_>, session: Id<of::Session>, now: Timestamp) -> Result<String, StorageError> {
    let token = URL_SAFE_NO_PAD.encode(random_bytes::<32>());
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::id.eq(Id::<of::RefreshToken>::new()),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::token_hash.eq(token_hash(&token)),
            refresh_tokens::issued_at.eq(now),
            refresh_tokens::expires_at.eq(now.plus(REFRESH_LIFE)),
        ))
        .execute(tx.db())?;
    Ok(token)
}

/// Begins a session for an account whose password was right.
///
/// # Errors
/// When the database fails.
pub fn open_session(tx: &mut Tx<'_>, account: Id<of::Account>) -> Result<OpenedSession, StorageError> {
    let (session, now) = (Id::new(), tx.now()?);
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(session),
            sessions::account_id.eq(account),
            sessions::created_at.eq(now),
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(now.plus(REFRESH_LIFE)),
        ))
        .execute(tx.db())?;
    Ok(OpenedSession { account, session, refresh_token: issue(tx, session, now)? })
}

/// Renews a session; a second use of the same token ends it.
///
/// # Errors
/// When the database fails.
pub fn renew_session(tx: &mut Tx<'_>, token: &str) -> Result<Renewal, StorageError> {
    let now = tx.now()?;
    let found: Option<(Id<of::RefreshToken>, Id<of::Session>, Timestamp)> = refresh_tokens::table
        .filter(refresh_tokens::token_hash.eq(token_hash(token)))
        .select((refresh_tokens::id, refresh_tokens::session_id, refresh_tokens::expires_at))
        .first(tx.db())
        .optional()?;
    let Some((id, session, expires_at)) = found else { return Ok(Renewal::Unknown) };
    tx.lock("sessions", session)?;
    let row: SessionRow = sessions::table.find(session).select(SessionRow::as_select()).first(tx.db())?;
    // Compare-and-set: of two uses at once, one wins and the other is a reuse.
    let used = diesel::update(
        refresh_tokens::table.filter(refresh_tokens::id.eq(id)).filter(refresh_tokens::used_at.is_null()),
    )
    .set(refresh_tokens::used_at.eq(Some(now)))
    .execute(tx.db())?;
    if row.ended_at.is_some() || expires_at <= now || row.expires_at <= now {
        return Ok(Renewal::Unknown);
    }
    if used == 0 {
        end_session(tx, session, "refresh_token_reused")?;
        return Ok(Renewal::Reused(row.account_id));
    }
    diesel::update(sessions::table.find(session))
        .set((sessions::last_used_at.eq(now), sessions::expires_at.eq(now.plus(REFRESH_LIFE))))
        .execute(tx.db())?;
    Ok(Renewal::Renewed(OpenedSession { account: row.account_id, session, refresh_token: issue(tx, session, now)? }))
}

/// Ends one session.
///
/// # Errors
/// When the database fails.
pub fn end_session(tx: &mut Tx<'_>, session: Id<of::Session>, reason: &str) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let ended = diesel::update(sessions::table.filter(sessions::id.eq(session)).filter(sessions::ended_at.is_null()))
        .set((sessions::ended_at.eq(Some(now)), sessions::end_reason.eq(Some(reason))))
        .execute(tx.db())?;
    Ok(ended > 0)
}

/// Ends every session of an account.
///
/// # Errors
/// When the database fails.
pub fn end_sessions(tx: &mut Tx<'_>, account: Id<of::Account>, reason: &str) -> Result<usize, StorageError> {
    let now = tx.now()?;
    Ok(diesel::update(sessions::table.filter(sessions::account_id.eq(account)).filter(sessions::ended_at.is_null()))
        .set((sessions::ended_at.eq(Some(now)), sessions::end_reason.eq(Some(reason))))
        .execute(tx.db())?)
}

/// The sessions of an account that go on, newest first.
///
/// # Errors
/// When the database fails.
pub fn list_sessions(tx: &mut Tx<'_>, account: Id<of::Account>) -> Result<Vec<SessionRow>, StorageError> {
    let now = tx.now()?;
    Ok(sessions::table
        .filter(sessions::account_id.eq(account))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .order(sessions::id.desc())
        .select(SessionRow::as_select())
        .load(tx.db())?)
}

/// The sessions of an account that were not ended, oldest first.
pub(super) fn ids_of(tx: &mut Tx<'_>, account: Id<of::Account>) -> Result<Vec<Id<of::Session>>, StorageError> {
    Ok(sessions::table
        .filter(sessions::account_id.eq(account))
        .filter(sessions::ended_at.is_null())
        .order(sessions::id)
        .select(sessions::id)
        .load(tx.db())?)
}

/// Notes that identity was proved afresh in this session.
///
/// # Errors
/// When the database fails.
pub fn step_up(tx: &mut Tx<'_>, session: Id<of::Session>) -> Result<Timestamp, StorageError> {
    let now = tx.now()?;
    diesel::update(sessions::table.find(session)).set(sessions::stepped_up_at.eq(Some(now))).execute(tx.db())?;
    Ok(now)
}

/// The session, if it goes on.
pub(super) fn find_live(
    tx: &mut Tx<'_>,
    session: Id<of::Session>,
    account: Id<of::Account>,
) -> Result<Option<SessionRow>, StorageError> {
    let now = tx.now()?;
    Ok(sessions::table
        .filter(sessions::id.eq(session))
        .filter(sessions::account_id.eq(account))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .select(SessionRow::as_select())
        .first(tx.db())
        .optional()?)
}
