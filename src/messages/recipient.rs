//! One person: whether they hear a message, at which address, in which language; and if not, why not. Pure.

use super::audience::Setting;
use super::message::{AudienceRule, Class, Kind, Mode};
use super::quiet_hours::is_night;
use super::rules::Refusal;
use crate::delivery::Channel;
use crate::members::MembershipStatus;
use crate::members::Recipient;
use crate::values::Language;
use crate::values::Timestamp;

/// Does a member hear, as they are now, what is meant for these? If not, why not.
fn hears(member: &Recipient, rule: &AudienceRule, kind: Kind) -> Result<(), &'static str> {
    match (rule, member.status) {
        (_, MembershipStatus::Active | MembershipStatus::ReviewDue) => Ok(()),
        // Who was told something is told what became of it. Who has left since gets a correction, and nothing else: they
        // may still act on what was wrong.
        (AudienceRule::RecipientsOf(_), status) if status.is_enrolled() || kind == Kind::Correction => Ok(()),
        (AudienceRule::RecipientsOf(_), _) => Err("left"),
        (AudienceRule::Partnership, MembershipStatus::Paused) => Err("paused"),
        (AudienceRule::Partnership, MembershipStatus::Unreachable) => Err("no_contact"),
        (AudienceRule::Partnership, _) => Err("suspended"),
    }
}
/// Why a member as a whole is left out.
pub(super) fn left_out(member: &Recipient, setting: &Setting<'_>) -> Option<&'static str> {
    match setting.rule {
        AudienceRule::RecipientsOf(_) if !setting.reached_before.contains(&member.person) => Some("not_reached_before"),
        rule => hears(member, rule, setting.kind).err(),
    }
    .or_else(|| (setting.mode == Mode::Exercise && !member.exercises).then_some("no_exercises"))
}
/// The address of a member on a channel, or why there is none to use.
pub(super) fn address(member: &Recipient, channel: Channel) -> Result<&str, &'static str> {
    let (value, usable, stopped, suspended) = match channel {
        Channel::Email => (&member.email, member.email_usable, member.email_stopped, member.email_suspended),
        Channel::Sms => (&member.mobile, member.mobile_usable, member.sms_stopped, member.mobile_suspended),
    };
    match value {
        None => Err("no_contact"),
        Some(_) if stopped => Err("stopped"),
        Some(_) if suspended => Err("suspended_endpoint"),
        Some(_) if !usable => Err("unverified"),
        Some(value) => Ok(value),
    }
}

/// The address at which a member whom a message did not reach is reached now, or why not.
pub(super) fn present_address<'a>(
    member: &'a Recipient,
    (class, kind, rule): (Class, Kind, &AudienceRule),
    channel: Channel,
    now: Timestamp,
) -> Result<&'a str, Refusal> {
    hears(member, rule, kind).map_err(|_| Refusal::MemberGone)?;
    if class == Class::Urgent && channel == Channel::Sms && is_night(now) && !member.sms_at_night {
        return Err(Refusal::NightChoice);
    }
    address(member, channel).map_err(|reason| match reason {
        "stopped" => Refusal::ChannelStopped,
        _ => Refusal::NoUsableContact,
    })
}
/// The language a member is written to in, and whether it is a fallback: their own, else the first agreed one that was
/// written. None where nothing was agreed on.
pub(super) fn language_for(own: Language, setting: &Setting<'_>) -> Option<(Language, bool)> {
    if setting.written_in.contains(&own) {
        return Some((own, false));
    }
    let agreed = setting.plan.fallback_languages.iter().find(|language| setting.written_in.contains(language));
    agreed.map(|language| (*language, true))
}
