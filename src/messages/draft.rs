//! A message begins: somebody who may writes it down. Nothing leaves.

use std::time::Duration;

use super::error::MessageError;
use super::lifecycle::{Draft, Facts, Message};
use super::message::{AudienceRule, Class, InformationSource, Kind, Mode, Status, Texts};
use super::payloads::{MessageView, NewMessage};
use super::render::{Rendered, render, version_hash};
use super::rules;
use super::store::{self, Event, Loaded};
use super::versions::{self, Version};
use crate::access::Action;
use crate::access::Authorized;
use crate::access::Role;
use crate::config::Config;
use crate::delivery::sms::sms_shape;
use crate::http::Problem;
use crate::members;
use crate::partnerships::{self, Partnership};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::random_code;
use crate::territory::{self, Zone};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// Letters and digits that nobody confuses; eight of them are 40 bits.
const CODE_ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const CODE_LENGTH: usize = 8;
/// How long a non-urgent message is of use unless its author says otherwise: three days.
const NON_URGENT_MINUTES: i32 = 3 * 24 * 60;
/// How long an urgent message is of use where no plan says it.
const URGENT_MINUTES: i32 = 30;
/// Parts of an urgent SMS at most.
const URGENT_PARTS_MAX: u16 = 2;

/// What a message begins with.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) class: Class,
    pub(super) kind: Kind,
    pub(super) mode: Mode,
    pub(super) source: InformationSource,
    pub(super) texts: Texts,
    pub(super) validity_minutes: Option<i32>,
    pub(super) thread: Option<Id<of::Message>>,
    pub(super) follows: Option<Id<of::Message>>,
    pub(super) audience: AudienceRule,
}
impl From<NewMessage> for Beginning {
    fn from(new: NewMessage) -> Self {
        Self {
            class: new.class,
            kind: new.kind,
            mode: new.mode.unwrap_or(Mode::Live),
            source: new.source,
            texts: new.texts,
            validity_minutes: new.validity_minutes,
            thread: None,
            follows: None,
            audience: AudienceRule::Partnership,
        }
    }
}

/// The role in which somebody writes: the strongest that lets them and still stands.
pub(super) fn writing_role<A: Action>(tx: &mut Tx<'_>, proof: &Authorized<A>) -> Result<Role, MessageError> {
    let order = [Role::Officer, Role::Coordinator, Role::Deputy, Role::Steering, Role::Municipality];
    Ok(proof.acting_as(tx, &order)?)
}

/// The partnership and its zone.
pub(super) fn surroundings(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
) -> Result<(Partnership, Zone), StorageError> {
    let missing = || StorageError::Corrupt(format!("partnership {partnership} or its zone is missing"));
    let found = partnerships::find_partnership(tx, partnership)?.ok_or_else(missing)?;
    let zone = territory::find_zone(tx, found.zone)?.ok_or_else(missing)?;
    Ok((found, zone))
}

/// Writes a message down.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    config: &Config,
    partnership: Id<of::Partnership>,
    author: Id<of::Account>,
    role: Role,
    new: Beginning,
) -> Result<MessageView, MessageError> {
    rules::may_write(role, new.class, new.kind, new.source)?;
    rules::names_what_it_follows(new.kind, new.follows.is_some())?;
    let plan = partnerships::plan_in_force(tx, partnership)?;
    let validity = new.validity_minutes.unwrap_or(match new.class {
        Class::Urgent => plan.map_or(URGENT_MINUTES, |(_, plan)| i32::from(plan.urgent_validity_minutes)),
        Class::NonUrgent => NON_URGENT_MINUTES,
    });
    let id = Id::new();
    let facts = Facts {
        id,
        partnership,
        thread: new.thread.unwrap_or(id),
        class: new.class,
        kind: new.kind,
        mode: new.mode,
        source: new.source,
        corrects: new.follows,
        short_code: random_code(CODE_LENGTH, CODE_ALPHABET),
        validity_minutes: validity,
        author,
        author_role: role,
        current_version: 1,
        version: 1,
        created_at: tx.now()?,
    };
    let version = write_version(tx, config, &facts, 1, new.texts, new.audience)?;
    let draft = Draft::begin(facts);
    store::insert(tx, &draft)?;
    versions::insert_version(tx, id, &version, author)?;
    store::record(
        tx,
        id,
        1,
        &Event {
            by: Some(author),
            event: "drafted",
            from: Status::Draft,
            to: Status::Draft,
            hash: &version.hash,
            reason: None,
        },
    )?;
    let loaded = Loaded {
        message: Message::Draft(draft),
        submitted_at: None,
        decided_at: None,
        reason: None,
        valid_until: None,
    };
    Ok(view(&loaded, &version))
}

/// Renders, checks and hashes a version.
pub(super) fn write_version(
    tx: &mut Tx<'_>,
    config: &Config,
    facts: &Facts,
    number: i32,
    texts: Texts,
    audience: AudienceRule,
) -> Result<Version, MessageError> {
    if texts.is_empty() {
        return Err(Problem::invalid("/texts", "missing", "write the text in at least one language").into());
    }
    let (partnership, zone) = surroundings(tx, facts.partnership)?;
    let rendered = render(facts, &texts, &partnership, &zone, &config.server.public_url);
    sms_fits(facts, config, &rendered)?;
    let hash = version_hash(facts, &audience, &rendered);
    Ok(Version { id: Id::new(), number, texts, rendered, audience, hash })
}
/// An SMS that would be cut or cost too much is refused while it can still be shortened (accept M14).
fn sms_fits(facts: &Facts, config: &Config, rendered: &Rendered) -> Result<(), MessageError> {
    let most = match facts.class {
        Class::Urgent => URGENT_PARTS_MAX.min(u16::from(config.sms.parts_max)),
        Class::NonUrgent => u16::from(config.sms.parts_max),
    };
    for (language, bodies) in rendered {
        let shape = sms_shape(&bodies.sms.text);
        if shape.parts > most {
            let detail = format!(
                "with our own words it makes {} parts, {most} are possible; shorten it, or leave out the letters that make it dear",
                shape.parts
            );
            return Err(
                Problem::invalid(format!("/texts/{}/sms", language.as_str()), "too_long_for_sms", detail).into()
            );
        }
    }
    Ok(())
}

/// A message as it is shown.
pub(super) fn view(loaded: &Loaded, version: &Version) -> MessageView {
    let facts = loaded.message.facts();
    MessageView {
        id: facts.id,
        partnership: facts.partnership,
        thread: facts.thread,
        class: facts.class,
        kind: facts.kind,
        mode: facts.mode,
        source: facts.source,
        status: loaded.message.status(),
        corrects: facts.corrects,
        short_code: facts.short_code.clone(),
        validity_minutes: facts.validity_minutes,
        texts: version.texts.clone(),
        version_number: version.number,
        version_hash: version.hash.clone(),
        audience: version.audience.clone(),
        author: facts.author,
        author_role: facts.author_role,
        created_at: facts.created_at,
        submitted_at: loaded.submitted_at,
        decided_at: loaded.decided_at,
        reason: loaded.reason.clone(),
        valid_until: loaded.valid_until,
        emergency: "101 / 112",
    }
}
/// A message as it is shown now, and its version for the `ETag`.
pub(super) fn view_now(tx: &mut Tx<'_>, id: Id<of::Message>) -> Result<(MessageView, i64), MessageError> {
    let loaded = store::find(tx, id)?.ok_or(MessageError::NotFound)?;
    let facts = loaded.message.facts();
    let version = versions::load_version(tx, id, facts.current_version)?;
    Ok((view(&loaded, &version), facts.version))
}
/// Until when something approved now is sent.
pub(super) fn valid_until(facts: &Facts, from: Timestamp) -> Timestamp {
    from.plus(Duration::from_secs(u64::try_from(facts.validity_minutes).unwrap_or(0).saturating_mul(60)))
}
/// Locks and loads a message that may go out now: to whom is settled until it is written down.
pub(super) fn lock_to_dispatch(tx: &mut Tx<'_>, id: Id<of::Message>) -> Result<Loaded, MessageError> {
    let loaded = lock(tx, id)?;
    members::hold_recipients(tx, loaded.message.facts().partnership)?;
    Ok(loaded)
}
/// Locks and loads.
pub(super) fn lock(tx: &mut Tx<'_>, id: Id<of::Message>) -> Result<Loaded, MessageError> {
    tx.lock("messages", id)?;
    store::find(tx, id)?.ok_or(MessageError::NotFound)
}
