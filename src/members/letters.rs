//! What members are told by letter.

use super::member::Membership;
use crate::access::{Reach, Role, holders};
use crate::accounts;
use crate::config::Config;
use crate::delivery::{LetterTo, enqueue_letter};
use crate::partnerships;
use crate::partnerships::Partnership;
use crate::people;
use crate::people::Contact;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::texts::{LetterKind, letter};
use crate::values::Id;
use crate::values::Language;
use crate::values::of;

/// What a partnership calls itself in a language.
pub(super) fn name_of(partnership: &Partnership, language: Language) -> String {
    partnership
        .names
        .best(language, &[])
        .map_or_else(|| partnership.short_name.clone(), |(_, name)| name.as_str().to_owned())
}
/// The contacts of one person.
pub(super) fn contacts_of(tx: &mut Tx<'_>, person: Id<of::Person>) -> Result<Vec<Contact>, StorageError> {
    Ok(people::contacts_of(tx, &[person])?.remove(&person).unwrap_or_default())
}
/// Writes to a member or applicant by e-mail; whoever has no address that works is told nothing.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    membership: &Membership,
    kind: LetterKind,
    more: &[(&str, &str)],
) -> Result<(), StorageError> {
    let contacts = contacts_of(tx, membership.person)?;
    let Some(email) = contacts.iter().filter(|contact| contact.is_usable()).find_map(Contact::email) else {
        return Ok(());
    };
    let person = people::load_person(tx, membership.person)?;
    let Some(partnership) = partnerships::find_partnership(tx, membership.partnership)? else { return Ok(()) };
    let name = person.name.map(|name| name.for_letter()).unwrap_or_default();
    let partnership = name_of(&partnership, person.language);
    let mut values = vec![("name", name.as_str()), ("partnership", partnership.as_str())];
    values.extend_from_slice(more);
    values.retain(|(name, _)| kind.values_needed().contains(name));
    let to = LetterTo { person: membership.person, language: person.language, email: &email };
    enqueue_letter(tx, to, letter(person.language, kind, &values))
}
/// Tells those who keep the list that a member stopped SMS: where to look, neither who nor the number.
pub(super) fn tell_of_stop(
    tx: &mut Tx<'_>,
    config: &Config,
    partnership: Id<of::Partnership>,
) -> Result<(), StorageError> {
    let Some(found) = partnerships::find_partnership(tx, partnership)? else { return Ok(()) };
    let keepers = holders(tx, &Reach::Partnership(partnership), &[Role::Coordinator, Role::Deputy])?;
    let mut keepers: Vec<Id<of::Account>> = keepers.into_iter().map(|grant| grant.account).collect();
    keepers.sort();
    keepers.dedup();
    let url = format!("{}/api/v1/partnerships/{partnership}/members?stopped=sms", config.server.public_url);
    for keeper in keepers {
        let Some(keeper) = accounts::reach(tx, keeper)? else { continue };
        let name = name_of(&found, keeper.language);
        let values = [("partnership", name.as_str()), ("url", &url)];
        let to = LetterTo { person: keeper.person, language: keeper.language, email: &keeper.email };
        enqueue_letter(tx, to, letter(keeper.language, LetterKind::MemberStoppedSms, &values))?;
    }
    Ok(())
}
