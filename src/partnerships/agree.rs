//! What police and partnership agree on: the communication plan with its two signatures, and the house rules.

use super::error::PartnershipError;
use super::found::take;
use super::house_rules::{HouseRules, hash_of, missing_language};
use super::plan::PlanContent;
use super::rules::Refusal;
use super::store;
use crate::http::IfMatch;
use crate::storage::Tx;
use crate::territory;
use crate::values::Id;
use crate::values::Localized;
use crate::values::Prose;
use crate::values::of;

/// Writes a further communication plan with the signature of the police; its number. It is not in force yet.
///
/// # Errors
/// `Absent` without the partnership; a field fault when urgent messages would have to be passed on by hand.
pub fn set_plan(
    tx: &mut Tx<'_>,
    id: Id<of::Partnership>,
    content: &PlanContent,
    officer: Id<of::Account>,
) -> Result<i32, PartnershipError> {
    take(tx, id)?;
    if !content.is_urgent_direct() {
        return Err(PartnershipError::Field(
            "/urgent/mode".to_owned(),
            "urgent_is_direct",
            "must be direct: an urgent message waits for nobody to pass it on",
        ));
    }
    Ok(store::insert_plan(tx, id, content, officer)?)
}
/// The same, when the number seen last is still the last (0: none).
pub(super) fn propose_plan(
    tx: &mut Tx<'_>,
    id: Id<of::Partnership>,
    seen: IfMatch,
    content: &PlanContent,
    officer: Id<of::Account>,
) -> Result<i32, PartnershipError> {
    take(tx, id)?;
    seen.check(store::latest_plan(tx, id)?.map_or(0, |plan| i64::from(plan.number)))?;
    set_plan(tx, id, content, officer)
}
/// Signs the newest plan for the partnership: from now on it is in force (duty C19).
///
/// # Errors
/// `PlanChanged` when the number is not the newest; `PlanSigned`; `OneSignatory`.
pub fn sign_plan(
    tx: &mut Tx<'_>,
    id: Id<of::Partnership>,
    number: i32,
    coordinator: Id<of::Account>,
) -> Result<(), PartnershipError> {
    take(tx, id)?;
    let plan = store::latest_plan(tx, id)?.filter(|plan| plan.number == number).ok_or(Refusal::PlanChanged)?;
    if plan.signed_by_coordinator.is_some() {
        return Err(Refusal::PlanSigned.into());
    }
    if plan.signed_by_officer == coordinator {
        return Err(Refusal::OneSignatory.into());
    }
    Ok(store::sign_plan(tx, id, number, coordinator)?)
}

/// Lays down a further version of the house rules; it is in force at once.
///
/// # Errors
/// `Absent` without the partnership; a field fault when a language of the zone is missing.
pub fn lay_down_house_rules(
    tx: &mut Tx<'_>,
    id: Id<of::Partnership>,
    texts: Localized<Prose<20000>>,
    by: Option<Id<of::Account>>,
) -> Result<HouseRules, PartnershipError> {
    let found = take(tx, id)?;
    let zone = territory::find_zone(tx, found.zone)?.ok_or(PartnershipError::Absent)?;
    if let Some(language) = missing_language(&texts, &zone.languages) {
        return Err(PartnershipError::Field(
            format!("/texts/{}", language.as_str()),
            "language_missing",
            "must be there: the zone works in this language",
        ));
    }
    let number = store::house_rules_in_force(tx, id)?.map_or(0, |rules| rules.number).saturating_add(1);
    let rules = HouseRules { number, hash: hash_of(&texts), texts, created_at: tx.now()? };
    store::insert_house_rules(tx, id, &rules, by)?;
    Ok(rules)
}
