//! Exactly what would go out, and to whom: what the officer sees is what is approved.

use std::collections::{BTreeMap, HashSet};

use super::approvals;
use super::audience::{Audience, PlannedFate, Setting, reckon};
use super::draft::valid_until;
use super::error::MessageError;
use super::lifecycle::Facts;
use super::message::AudienceRule;
use super::payloads::{LeftOut, Preview, PreviewAudience, PreviewCost, PreviewLanguage};
use super::store;
use super::versions::{self, Version};
use crate::config::Config;
use crate::delivery::Channel;
use crate::delivery::sms::{Encoding, sms_shape};
use crate::members;
use crate::members::Recipient;
use crate::partnerships;
use crate::partnerships::PlanContent;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Language;
use crate::values::Timestamp;
use crate::values::of;

/// So many of those left out are named one by one.
const LEFT_OUT_MAX: usize = 1_000;

/// The plan in force and the audience under it, now.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) plan_number: i32,
    pub(super) plan: PlanContent,
    pub(super) audience: Audience,
}

/// Gathers plan and audience for a version.
pub(super) fn gather(tx: &mut Tx<'_>, facts: &Facts, version: &Version) -> Result<Gathered, MessageError> {
    let (plan_number, plan) = partnerships::plan_in_force(tx, facts.partnership)?.ok_or(MessageError::NoPlan)?;
    let listeners = Listeners::of(tx, facts, version)?;
    let now = tx.now()?;
    let audience =
        reckon(&listeners.members, &listeners.setting(facts, version, &plan, (now, valid_until(facts, now))));
    Ok(Gathered { plan_number, plan, audience })
}

/// The same for what is about to leave. The message that it follows is locked before those whom that one reached are counted:
/// nobody is called up for it meanwhile. Whoever holds two locks took the younger message's first.
pub(super) fn gather_to_send(tx: &mut Tx<'_>, facts: &Facts, version: &Version) -> Result<Gathered, MessageError> {
    if let AudienceRule::RecipientsOf(earlier) = version.audience {
        tx.lock("messages", earlier)?;
    }
    gather(tx, facts, version)
}
/// Everybody who may be among those a message is for, with what else an audience is reckoned from.
pub(super) struct Listeners {
    pub(super) members: Vec<Recipient>,
    /// Whom the earlier message reached, where this one follows one.
    reached_before: HashSet<Id<of::Person>>,
    written_in: Vec<Language>,
}
impl Listeners {
    pub(super) fn of(tx: &mut Tx<'_>, facts: &Facts, version: &Version) -> Result<Self, StorageError> {
        let reached_before = match version.audience {
            AudienceRule::Partnership => HashSet::new(),
            AudienceRule::RecipientsOf(message) => approvals::reached_by(tx, message)?,
        };
        let mut members = members::recipients(tx, facts.partnership)?;
        if !reached_before.is_empty() {
            let known: HashSet<Id<of::Person>> = members.iter().map(|member| member.person).collect();
            let gone: Vec<Id<of::Person>> = reached_before.difference(&known).copied().collect();
            members.extend(members::former_recipients(tx, facts.partnership, &gone)?);
        }
        Ok(Self { members, reached_before, written_in: version.texts.languages().collect() })
    }
    /// What holds for the version under a plan: now, and until when it is of use.
    pub(super) fn setting<'a>(
        &'a self,
        facts: &Facts,
        version: &'a Version,
        plan: &'a PlanContent,
        (now, until): (Timestamp, Timestamp),
    ) -> Setting<'a> {
        Setting {
            class: facts.class,
            kind: facts.kind,
            mode: facts.mode,
            rule: &version.audience,
            reached_before: &self.reached_before,
            written_in: &self.written_in,
            plan,
            now,
            until,
        }
    }
}

/// Shows it.
pub(super) fn preview(
    tx: &mut Tx<'_>,
    config: &Config,
    id: Id<of::Message>,
    keeps_the_list: bool,
) -> Result<Preview, MessageError> {
    let loaded = store::find(tx, id)?.ok_or(MessageError::NotFound)?;
    let facts = loaded.message.facts();
    let version = versions::load_version(tx, id, facts.current_version)?;
    let Gathered { plan_number, audience, .. } = gather(tx, facts, &version)?;
    let counted = counted(&audience);
    let mut languages = Vec::new();
    let mut cost = PreviewCost { messages: 0, parts: 0, cents: 0 };
    for (language, bodies) in &version.rendered {
        let shape = sms_shape(&bodies.sms.text);
        let of = |channel: Channel| counted.get(&(*language, channel)).copied().unwrap_or(0);
        let sms = of(Channel::Sms);
        cost.messages += sms;
        cost.parts += u64::from(shape.parts) * u64::try_from(sms).unwrap_or(0);
        languages.push(PreviewLanguage {
            language: *language,
            subject: bodies.email.subject.clone(),
            text: bodies.email.text.clone(),
            html: bodies.email.html.clone().unwrap_or_default(),
            sms: bodies.sms.text.clone(),
            sms_encoding: match shape.encoding {
                Encoding::Gsm7 => "gsm7",
                Encoding::Ucs2 => "ucs2",
            },
            sms_parts: shape.parts,
            sms_costly: shape.costly.iter().map(char::to_string).collect(),
            recipients: Channel::ALL.iter().map(|channel| (channel.as_str().to_owned(), of(*channel))).collect(),
        });
    }
    // Hundredths of a cent, rounded up.
    cost.cents = (cost.parts * u64::from(config.sms.part_price)).div_ceil(100);
    Ok(Preview {
        version_hash: version.hash,
        plan_number,
        languages,
        audience: shown(&audience, keeps_the_list),
        sms: cost,
    })
}
fn counted(audience: &Audience) -> BTreeMap<(Language, Channel), usize> {
    let mut counts = BTreeMap::new();
    for planned in &audience.planned {
        if let PlannedFate::Goes { language, .. } = planned.fate {
            *counts.entry((language, planned.channel)).or_default() += 1;
        }
    }
    counts
}
/// Counts for everybody; who is left out, one by one, only for those who keep the list (security 2.4).
fn shown(audience: &Audience, keeps_the_list: bool) -> PreviewAudience {
    let mut going: BTreeMap<String, usize> = BTreeMap::new();
    let mut by_reason: BTreeMap<String, usize> = BTreeMap::new();
    let mut left_out = Vec::new();
    for planned in &audience.planned {
        match planned.fate {
            PlannedFate::Goes { .. } => *going.entry(planned.channel.as_str().to_owned()).or_default() += 1,
            PlannedFate::LeftOut(reason) => {
                *by_reason.entry(format!("{}:{reason}", planned.channel.as_str())).or_default() += 1;
                if keeps_the_list && left_out.len() < LEFT_OUT_MAX {
                    left_out.push(LeftOut { membership: planned.membership, channel: planned.channel, reason });
                }
            }
        }
    }
    PreviewAudience {
        members: audience.members_reached(),
        going,
        left_out_by_reason: by_reason,
        left_out,
        fallbacks: audience.fallbacks.iter().map(|(language, count)| (language.as_str().to_owned(), *count)).collect(),
        language_missing: audience.language_missing,
    }
}
