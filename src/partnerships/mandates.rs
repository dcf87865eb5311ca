//! Every query of mandates.

use diesel::prelude::*;

use super::mandate::{Declaration, Mandate, MandateStatus, Screening, ScreeningOutcome};
use crate::access::Reach;
use crate::access::Role;
use crate::storage::Json;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::mandates;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

#[derive(Queryable, Selectable)]
#[diesel(table_name = mandates)]
struct MandateRow {
    id: Id<of::Mandate>,
    account_id: Id<of::Account>,
    grant_id: Option<Id<of::Grant>>,
    role: Role,
    place_kind: String,
    place_ref: String,
    status: MandateStatus,
    screening_outcome: Option<ScreeningOutcome>,
    screened_at: Option<Timestamp>,
    screening_valid_until: Option<Timestamp>,
    from_at: Timestamp,
    until_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    end_reason: Option<String>,
    version: i64,
}
impl MandateRow {
    fn restore(self) -> Result<Mandate, StorageError> {
        let reach = Reach::restore(&self.place_kind, &self.place_ref)
            .ok_or_else(|| StorageError::Corrupt(format!("mandate {}", self.id)))?;
        let screening = match (self.screening_outcome, self.screened_at, self.screening_valid_until) {
            (Some(outcome), Some(screened_at), Some(valid_until)) => {
                Some(Screening { outcome, screened_at, valid_until })
            }
            _ => None,
        };
        Ok(Mandate {
            id: self.id,
            account: self.account_id,
            grant: self.grant_id,
            role: self.role,
            reach,
            status: self.status,
            screening,
            from: self.from_at,
            until: self.until_at,
            ended_at: self.ended_at,
            end_reason: self.end_reason,
            version: self.version,
        })
    }
}
/// A mandate to be written down.
#[derive(Debug)]
pub(super) struct NewMandate {
    pub(super) account: Id<of::Account>,
    pub(super) role: Role,
    pub(super) reach: Reach,
    /// With a grant it is active at once.
    pub(super) grant: Option<Id<of::Grant>>,
    pub(super) declaration: Option<Declaration>,
    pub(super) until: Option<Timestamp>,
    pub(super) by: Option<Id<of::Account>>,
}
/// Writes a mandate down.
pub(super) fn insert_mandate(tx: &mut Tx<'_>, new: NewMandate) -> Result<Id<of::Mandate>, StorageError> {
    let (id, now, (kind, reference)) = (Id::new(), tx.now()?, new.reach.stored());
    let status = if new.grant.is_some() { MandateStatus::Active } else { MandateStatus::Nominated };
    diesel::insert_into(mandates::table)
        .values((
            mandates::id.eq(id),
            mandates::account_id.eq(new.account),
            mandates::grant_id.eq(new.grant),
            mandates::role.eq(new.role),
            mandates::place_kind.eq(kind),
            mandates::place_ref.eq(reference),
            mandates::status.eq(status),
            mandates::declaration.eq(new.declaration.map(Json)),
            mandates::from_at.eq(now),
            mandates::until_at.eq(new.until),
            mandates::version.eq(1),
            mandates::created_at.eq(now),
            mandates::created_by.eq(new.by),
        ))
        .execute(tx.db())?;
    Ok(id)
}
/// A mandate.
pub(super) fn find_mandate(tx: &mut Tx<'_>, id: Id<of::Mandate>) -> Result<Option<Mandate>, StorageError> {
    let row = mandates::table.find(id).select(MandateRow::as_select()).first(tx.db()).optional()?;
    row.map(MandateRow::restore).transpose()
}
/// Does this account hold this very mandate, or is it nominated for it?
pub(super) fn is_mandated(
    tx: &mut Tx<'_>,
    account: Id<of::Account>,
    role: Role,
    reach: &Reach,
) -> Result<bool, StorageError> {
    let ((kind, reference), now) = (reach.stored(), tx.now()?);
    let found: Option<Id<of::Mandate>> = mandates::table
        .filter(mandates::account_id.eq(account))
        .filter(mandates::role.eq(role))
        .filter(mandates::place_kind.eq(kind))
        .filter(mandates::place_ref.eq(reference))
        .filter(mandates::status.ne(MandateStatus::Ended))
        .filter(mandates::until_at.is_null().or(mandates::until_at.gt(now)))
        .select(mandates::id)
        .first(tx.db())
        .optional()?;
    Ok(found.is_some())
}
/// The mandates over exactly this reach, one more than the page holds.
pub(super) fn list_mandates(
    tx: &mut Tx<'_>,
    reach: &Reach,
    role: Option<Role>,
    status: Option<MandateStatus>,
    after: Option<Id<of::Mandate>>,
    limit: i64,
) -> Result<Vec<Mandate>, StorageError> {
    let (kind, reference) = reach.stored();
    let mut query = mandates::table
        .filter(mandates::place_kind.eq(kind))
        .filter(mandates::place_ref.eq(reference))
        .order(mandates::id)
        .limit(limit.saturating_add(1))
        .select(MandateRow::as_select())
        .into_boxed();
    if let Some(role) = role {
        query = query.filter(mandates::role.eq(role));
    }
    if let Some(status) = status {
        query = query.filter(mandates::status.eq(status));
    }
    if let Some(after) = after {
        query = query.filter(mandates::id.gt(after));
    }
    query.load(tx.db())?.into_iter().map(MandateRow::restore).collect()
}
/// Writes what a screening came to.
pub(super) fn set_screening(
    tx: &mut Tx<'_>,
    id: Id<of::Mandate>,
    screening: Screening,
    by: Id<of::Account>,
) -> Result<(), StorageError> {
    diesel::update(mandates::table.find(id))
        .set((
            mandates::screening_outcome.eq(Some(screening.outcome)),
            mandates::screened_at.eq(Some(screening.screened_at)),
            mandates::screening_valid_until.eq(Some(screening.valid_until)),
            mandates::screened_by.eq(Some(by)),
            mandates::version.eq(mandates::version + 1),
        ))
        .execute(tx.db())?;
    Ok(())
}
/// Makes a mandate active with this grant.
pub(super) fn set_active(
    tx: &mut Tx<'_>,
    id: Id<of::Mandate>,
    grant: Id<of::Grant>,
    until: Option<Timestamp>,
) -> Result<(), StorageError> {
    diesel::update(mandates::table.find(id))
        .set((
            mandates::status.eq(MandateStatus::Active),
            mandates::grant_id.eq(Some(grant)),
            mandates::until_at.eq(until),
            mandates::version.eq(mandates::version + 1),
        ))
        .execute(tx.db())?;
    Ok(())
}
/// Ends a mandate.
pub(super) fn set_ended(tx: &mut Tx<'_>, id: Id<of::Mandate>, reason: &str) -> Result<(), StorageError> {
    let now = tx.now()?;
    diesel::update(mandates::table.find(id))
        .set((
            mandates::status.eq(MandateStatus::Ended),
            mandates::ended_at.eq(Some(now)),
            mandates::end_reason.eq(Some(reason)),
            mandates::version.eq(mandates::version + 1),
        ))
        .execute(tx.db())?;
    Ok(())
}
