//! Grants: power given to an account over a place, for a time. Rights are read from here at every request, never from a token.

use diesel::prelude::*;

use super::place::Reach;
use super::role::Role;
use crate::storage::Json;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::grants;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

crate::words! {
    /// Something more that a grant says.
    pub enum Flag {
        /// Of an officer: on the duty roster of the zone.
        Duty = "duty",
        /// Of a zone administrator: chief of corps.
        Chief = "chief",
        /// Of a zone administrator: handles privacy requests.
        Privacy = "privacy",
    }
}

/// Power of an account over a place, in force now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its identifier.
    pub id: Id<of::Grant>,
    /// Whose it is.
    pub account: Id<of::Account>,
    /// What it makes of them.
    pub role: Role,
    /// How far it reaches.
    pub reach: Reach,
    /// What more it says.
    pub flags: Vec<Flag>,
    /// When it began.
    pub from_at: Timestamp,
    /// When it ends by itself.
    pub until_at: Option<Timestamp>,
    /// Raised with every change.
    pub version: i64,
}

/// A grant to be given.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// To whom.
    pub account: Id<of::Account>,
    /// As what.
    pub role: Role,
    /// Over what.
    pub reach: Reach,
    /// What more it says.
    pub flags: Vec<Flag>,
    /// From when; may lie ahead.
    pub from_at: Timestamp,
    /// Until when.
    pub until_at: Option<Timestamp>,
    /// Given by whom; nobody for the first administrator.
    pub by: Option<Id<of::Account>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = grants)]
struct GrantRow {
    id: Id<of::Grant>,
    account_id: Id<of::Account>,
    role: Role,
    place_kind: String,
    place_ref: String,
    flags: Json<Vec<Flag>>,
    from_at: Timestamp,
    until_at: Option<Timestamp>,
    version: i64,
}
impl GrantRow {
    fn restore(self) -> Result<Grant, StorageError> {
        let reach = Reach::restore(&self.place_kind, &self.place_ref)
            .ok_or_else(|| StorageError::Corrupt(format!("grant {}", self.id)))?;
        Ok(Grant {
            id: self.id,
            account: self.account_id,
            role: self.role,
            reach,
            flags: self.flags.0,
            from_at: self.from_at,
            until_at: self.until_at,
            version: self.version,
        })
    }
}

/// Gives power. Whether the giver may is the caller's rule.
///
/// # Errors
/// When the database fails.
pub fn grant(tx: &mut Tx<'_>, new: NewGrant) -> Result<Id<of::Grant>, StorageError> {
    let (id, now) = (Id::new(), tx.now()?);
    let (kind, reference) = new.reach.stored();
    diesel::insert_into(grants::table)
        .values((
            grants::id.eq(id),
            grants::account_id.eq(new.account),
            grants::role.eq(new.role),
            grants::place_kind.eq(kind),
            grants::place_ref.eq(reference),
            grants::flags.eq(Json(new.flags)),
            grants::from_at.eq(new.from_at),
            grants::until_at.eq(new.until_at),
            grants::version.eq(1),
            grants::created_at.eq(now),
            grants::created_by.eq(new.by),
        ))
        .execute(tx.db())?;
    Ok(id)
}

/// Ends power at once: the next request finds it gone, and so does a write that was already allowed.
///
/// # Errors
/// When the database fails.
pub fn end(tx: &mut Tx<'_>, id: Id<of::Grant>, reason: &str) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let ended = diesel::update(grants::table.filter(grants::id.eq(id)).filter(grants::ended_at.is_null()))
        .set((
            grants::ended_at.eq(Some(now)),
            grants::end_reason.eq(Some(reason)),
            grants::version.eq(grants::version + 1),
        ))
        .execute(tx.db())?;
    Ok(ended > 0)
}

/// The grants of an account that are in force at a moment.
///
/// # Errors
/// When the database fails.
pub fn grants_at(tx: &mut Tx<'_>, account: Id<of::Account>, at: Timestamp) -> Result<Vec<Grant>, StorageError> {
    grants::table
        .filter(grants::account_id.eq(account))
        .filter(grants::ended_at.is_null())
        .filter(grants::from_at.le(at))
        .filter(grants::until_at.is_null().or(grants::until_at.gt(at)))
        .order(grants::id)
        .select(GrantRow::as_select())
        .load(tx.db())?
        .into_iter()
        .map(GrantRow::restore)
        .collect()
}

/// Who holds one of these roles over exactly this reach, now.
///
/// # Errors
/// When the database fails.
pub fn holders(tx: &mut Tx<'_>, reach: &Reach, roles: &[Role]) -> Result<Vec<Grant>, StorageError> {
    let (kind, reference) = reach.stored();
    let now = tx.now()?;
    grants::table
        .filter(grants::place_kind.eq(kind))
        .filter(grants::place_ref.eq(reference))
        .filter(grants::role.eq_any(roles.iter().copied()))
        .filter(grants::ended_at.is_null())
        .filter(grants::from_at.le(now))
        .filter(grants::until_at.is_null().or(grants::until_at.gt(now)))
        .order(grants::id)
        .select(GrantRow::as_select())
        .load(tx.db())?
        .into_iter()
        .map(GrantRow::restore)
        .collect()
}

/// How a row on which a right rests is kept as it is until the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Others may rest on it at the same time.
    Shared,
    /// The work itself may change it.
    Alone,
}
impl Keep {
    /// Keeps the row.
    pub(super) fn row<K: 'static>(self, tx: &mut Tx<'_>, table: &'static str, id: Id<K>) -> Result<(), StorageError> {
        match self {
            Self::Shared => tx.hold(table, id),
            Self::Alone => tx.lock(table, id),
        }
    }
}
/// Is this grant still exactly as it was when it allowed something? Keeps it so until the transaction ends.
pub(super) fn still_stands(tx: &mut Tx<'_>, grant: &Grant, keep: Keep) -> Result<bool, StorageError> {
    keep.row(tx, "grants", grant.id)?;
    let now = tx.now()?;
    let found: Option<i64> = grants::table
        .filter(grants::id.eq(grant.id))
        .filter(grants::ended_at.is_null())
        .filter(grants::until_at.is_null().or(grants::until_at.gt(now)))
        .select(grants::version)
        .first(tx.db())
        .optional()?;
    Ok(found == Some(grant.version))
}
