//! Every query of the examinations.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::finding::{CheckName, Outcome, Report, Verdict};
use super::rules::{self, LastCheck, Standing};
use super::subject::Subject;
use crate::config::Config;
use crate::storage::Json;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::mail_checks;
use crate::values::Timestamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = mail_checks)]
struct CheckRow {
    checked_at: Timestamp,
    verdict: Verdict,
    summary: Json<BTreeMap<CheckName, Outcome>>,
}

fn last(tx: &mut Tx<'_>, subject: &Subject) -> Result<Option<LastCheck>, StorageError> {
    let row = mail_checks::table
        .filter(mail_checks::subject.eq(subject.fingerprint()))
        .order(mail_checks::id.desc())
        .select(CheckRow::as_select())
        .first(tx.db())
        .optional()?;
    Ok(row.map(|row| LastCheck { checked_at: row.checked_at, verdict: row.verdict, summary: row.summary.0 }))
}
/// Keeps a verdict; the one before it, but for those when nobody could be asked.
///
/// # Errors
/// When the database fails.
pub fn record(tx: &mut Tx<'_>, subject: &Subject, report: &Report) -> Result<Option<Verdict>, StorageError> {
    let before = mail_checks::table
        .filter(mail_checks::subject.eq(subject.fingerprint()))
        .filter(mail_checks::verdict.ne(Verdict::Unknown))
        .order(mail_checks::id.desc())
        .select(mail_checks::verdict)
        .first(tx.db())
        .optional()?;
    diesel::insert_into(mail_checks::table)
        .values((
            mail_checks::domain.eq(&report.domain),
            mail_checks::subject.eq(subject.fingerprint()),
            mail_checks::verdict.eq(report.verdict),
            mail_checks::summary.eq(Json(report.summary())),
            mail_checks::checked_at.eq(report.checked_at),
        ))
        .execute(tx.db())?;
    Ok(before)
}
/// How the mail of this installation stands.
///
/// # Errors
/// When the database fails.
pub fn standing(tx: &mut Tx<'_>, config: &Config) -> Result<Standing, StorageError> {
    if !Subject::matters(config) {
        return Ok(Standing::DoesNotMatter);
    }
    let now = tx.now()?;
    Ok(rules::standing(last(tx, &Subject::of(config))?.as_ref(), now))
}
/// Is it time to examine this identity again?
///
/// # Errors
/// When the database fails.
pub fn is_due(tx: &mut Tx<'_>, subject: &Subject) -> Result<bool, StorageError> {
    let now = tx.now()?;
    Ok(rules::is_due(last(tx, subject)?.as_ref(), now))
}
