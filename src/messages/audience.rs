//! Who is to receive a message, on which channel, in which language, when; and why each one left out is left out. Pure.

use std::collections::{BTreeMap, HashSet};

use chrono::{Datelike, NaiveDate, TimeZone, Timelike};

use super::message::{AudienceRule, Class, Mode};
use crate::delivery::Channel;
use crate::members::MembershipStatus;
use crate::members::Recipient;
use crate::partnerships::PlanContent;
use crate::values::Id;
use crate::values::Language;
use crate::values::Timestamp;
use crate::values::of;

/// SMS at night are left out for those who chose so: from this hour
const NIGHT_FROM: u32 = 22;
/// until this hour.
const NIGHT_UNTIL: u32 = 7;

/// What is known when an audience is reckoned.
#[derive(Debug)]
pub struct Setting<'a> {
    /// How pressing.
    pub class: Class,
    /// Whether it is meant.
    pub mode: Mode,
    /// For whom it is meant.
    pub rule: &'a AudienceRule,
    /// Those whom the earlier message reached, where the rule names one.
    pub reached_before: &'a HashSet<Id<of::Person>>,
    /// The languages the message is written in.
    pub written_in: &'a [Language],
    /// The plan in force.
    pub plan: &'a PlanContent,
    /// Now.
    pub now: Timestamp,
}

/// One member on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The membership.
    pub membership: Id<of::Membership>,
    /// The person.
    pub person: Id<of::Person>,
    /// The channel.
    pub channel: Channel,
    /// What becomes of it.
    pub fate: PlannedFate,
}
/// What becomes of one member on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlannedFate {
    /// Goes out.
    Goes {
        /// Where.
        address: String,
        /// In which language.
        language: Language,
        /// When.
        at: Timestamp,
    },
    /// Left out, with the reason.
    LeftOut(&'static str),
}
/// Everybody, with what becomes of them.
#[derive(Debug, Default)]
pub struct Audience {
    /// Each member on each channel of the plan.
    pub planned: Vec<Planned>,
    /// How many members get another language than their own, by their own.
    pub fallbacks: BTreeMap<Language, usize>,
    /// Somebody's language has neither a text nor an agreed fallback.
    pub language_missing: bool,
}
impl Audience {
    /// How many go out.
    #[must_use]
    pub fn going(&self) -> usize {
        self.planned.iter().filter(|planned| matches!(planned.fate, PlannedFate::Goes { .. })).count()
    }
    /// How many members are reached on at least one channel.
    #[must_use]
    pub fn members_reached(&self) -> usize {
        self.planned
            .iter()
            .filter(|planned| matches!(planned.fate, PlannedFate::Goes { .. }))
            .map(|planned| planned.membership)
            .collect::<HashSet<_>>()
            .len()
    }
}

/// The moment at or after `now` that lies outside the quiet hours of the plan, by the clocks of Belgium.
#[must_use]
pub fn after_quiet_hours(now: Timestamp, from_hour: u8, until_hour: u8) -> Timestamp {
    let local = now.in_belgium();
    let (hour, from, until) = (local.hour(), u32::from(from_hour), u32::from(until_hour));
    let quiet = if from <= until { (from..until).contains(&hour) } else { hour >= from || hour < until };
    if !quiet {
        return now;
    }
    let ends_today = hour < until;
    let today: NaiveDate = local.date_naive();
    let day = if ends_today { today } else { today.succ_opt().unwrap_or(today) };
    // Where a clock change leaves the hour out, the next one that exists is taken.
    (until..until.saturating_add(3))
        .find_map(|hour| {
            chrono_tz::Europe::Brussels.with_ymd_and_hms(day.year(), day.month(), day.day(), hour, 0, 0).earliest()
        })
        .map_or(now, |at| at.with_timezone(&chrono::Utc).into())
}
fn is_night(now: Timestamp) -> bool {
    let hour = now.in_belgium().hour();
    hour >= NIGHT_FROM || hour < NIGHT_UNTIL
}

/// Why a member as a whole is left out.
fn left_out(member: &Recipient, setting: &Setting<'_>) -> Option<&'static str> {
    match setting.rule {
        // Who was told something is told what became of it, whatever they are now.
        AudienceRule::RecipientsOf(_) => {
            (!setting.reached_before.contains(&member.person)).then_some("not_reached_before")
        }
        AudienceRule::Partnership => match member.status {
            MembershipStatus::Active | MembershipStatus::ReviewDue => None,
            MembershipStatus::Paused => Some("paused"),
            MembershipStatus::Unreachable => Some("no_contact"),
            _ => Some("suspended"),
        },
    }
    .or_else(|| (setting.mode == Mode::Exercise && !member.exercises).then_some("no_exercises"))
}
/// The address of a member on a channel, or why there is none to use.
fn address(member: &Recipient, channel: Channel) -> Result<&str, &'static str> {
    let (value, usable, stopped) = match channel {
        Channel::Email => (&member.email, member.email_usable, member.email_stopped),
        Channel::Sms => (&member.mobile, member.mobile_usable, member.sms_stopped),
    };
    match value {
        None => Err("no_contact"),
        Some(_) if stopped => Err("stopped"),
        Some(_) if !usable => Err("unverified"),
        Some(value) => Ok(value),
    }
}

/// Reckons the audience. Members come in the order of their joining; where one SMS a dwelling is enough, the first gets it.
#[must_use]
pub fn reckon(members: &[Recipient], setting: &Setting<'_>) -> Audience {
    let mut audience = Audience::default();
    let mut seen: HashSet<(Channel, &str)> = HashSet::new();
    let mut dwellings: HashSet<&[u8]> = HashSet::new();
    let class_plan = match setting.class {
        Class::Urgent => &setting.plan.urgent,
        Class::NonUrgent => &setting.plan.non_urgent,
    };
    let night = is_night(setting.now);
    let quiet_over = after_quiet_hours(setting.now, setting.plan.quiet_from_hour, setting.plan.quiet_until_hour);
    for member in members {
        let plan = |channel, fate| Planned { membership: member.membership, person: member.person, channel, fate };
        if let Some(reason) = left_out(member, setting) {
            audience
                .planned
                .extend(class_plan.channels.iter().map(|channel| plan(*channel, PlannedFate::LeftOut(reason))));
            continue;
        }
        let Some(language) = language_for(member.language, setting, &mut audience) else {
            audience.planned.extend(
                class_plan.channels.iter().map(|channel| plan(*channel, PlannedFate::LeftOut("language_missing"))),
            );
            continue;
        };
        // Non-urgent: the preferred channel, then the other one.
        let mut channels = class_plan.channels.clone();
        channels.sort_by_key(|channel| *channel != member.preferred_channel);
        let mut served = false;
        for channel in channels {
            let fate = match address(member, channel) {
                Err(reason) => PlannedFate::LeftOut(reason),
                Ok(_) if setting.class == Class::NonUrgent && served => PlannedFate::LeftOut("not_chosen"),
                Ok(_) if setting.class == Class::Urgent && channel == Channel::Sms && night && !member.sms_at_night => {
                    PlannedFate::LeftOut("night_choice")
                }
                Ok(value) if !seen.insert((channel, value)) => PlannedFate::LeftOut("duplicate"),
                Ok(_)
                    if channel == Channel::Sms
                        && setting.plan.sms_per_dwelling
                        && member.dwelling.as_deref().is_some_and(|dwelling| !dwellings.insert(dwelling)) =>
                {
                    PlannedFate::LeftOut("household")
                }
                Ok(value) => {
                    served = true;
                    let at = if setting.class == Class::Urgent { setting.now } else { quiet_over };
                    PlannedFate::Goes { address: value.to_owned(), language, at }
                }
            };
            audience.planned.push(plan(channel, fate));
        }
    }
    audience
}
/// The language a member is written to in: their own, else the first agreed fallback that was written.
fn language_for(own: Language, setting: &Setting<'_>, audience: &mut Audience) -> Option<Language> {
    if setting.written_in.contains(&own) {
        return Some(own);
    }
    *audience.fallbacks.entry(own).or_default() += 1;
    let agreed = setting.plan.fallback_languages.iter().find(|language| setting.written_in.contains(language)).copied();
    if agreed.is_none() {
        audience.language_missing = true;
    }
    agreed
}
