//! Who is to receive a message, on which channel, in which language, when; and why each one left out is left out. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::message::{AudienceRule, Class, Kind, Mode};
use super::quiet_hours::{after_quiet_hours, is_night};
use super::recipient::{address, language_for, left_out};
use crate::delivery::{Channel, InReserve, NOT_CHOSEN};
use crate::members::Recipient;
use crate::partnerships::{ClassPlan, PlanContent};
use crate::values::Id;
use crate::values::Language;
use crate::values::Timestamp;
use crate::values::of;

/// What is known when an audience is reckoned.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    /// How pressing.
    pub class: Class,
    /// What it is in its thread.
    pub kind: Kind,
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
    /// Until when it is of use.
    pub until: Timestamp,
}

/// One member on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
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
pub(super) enum PlannedFate {
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
pub(super) struct Audience {
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
    pub(super) fn going(&self) -> usize {
        self.planned.iter().filter(|planned| matches!(planned.fate, PlannedFate::Goes { .. })).count()
    }
    /// How many members are reached on at least one channel.
    #[must_use]
    pub(super) fn members_reached(&self) -> usize {
        self.planned
            .iter()
            .filter(|planned| matches!(planned.fate, PlannedFate::Goes { .. }))
            .map(|planned| planned.membership)
            .collect::<HashSet<_>>()
            .len()
    }
}

/// Who is given what, member by member: one number or address is written to once, and one dwelling where the plan says so.
struct Round<'a> {
    setting: &'a Setting<'a>,
    plan: &'a ClassPlan,
    night: bool,
    quiet_over: Timestamp,
    seen: HashSet<(Channel, &'a str)>,
    dwellings: HashSet<&'a [u8]>,
}
impl<'a> Round<'a> {
    fn new(setting: &'a Setting<'a>) -> Self {
        let plan = match setting.class {
            Class::Urgent => &setting.plan.urgent,
            Class::NonUrgent => &setting.plan.non_urgent,
        };
        let night = is_night(setting.now);
        let quiet_over = after_quiet_hours(setting.now, setting.plan.quiet_from_hour, setting.plan.quiet_until_hour);
        Self { setting, plan, night, quiet_over, seen: HashSet::new(), dwellings: HashSet::new() }
    }
    /// Only what goes out counts as given: a number left out for its dwelling still serves another.
    fn gives(&mut self, member: &'a Recipient, channel: Channel, value: &'a str) {
        self.seen.insert((channel, value));
        if channel == Channel::Sms {
            self.dwellings.extend(member.dwelling.as_deref());
        }
    }
    /// What becomes of a member whose turn it is on a channel.
    fn fate(&mut self, member: &'a Recipient, channel: Channel, language: Language) -> PlannedFate {
        let setting = self.setting;
        let value = match address(member, channel) {
            Err(reason) => return PlannedFate::LeftOut(reason),
            Ok(value) => value,
        };
        let is_sms = channel == Channel::Sms;
        let is_served = |dwelling| self.dwellings.contains(dwelling);
        if setting.class == Class::Urgent && is_sms && self.night && !member.sms_at_night {
            return PlannedFate::LeftOut("night_choice");
        }
        if self.seen.contains(&(channel, value)) {
            return PlannedFate::LeftOut("duplicate");
        }
        if is_sms && setting.plan.sms_per_dwelling && member.dwelling.as_deref().is_some_and(is_served) {
            return PlannedFate::LeftOut("household");
        }
        // The quiet hours end after its use does: the officer sees it before approving.
        if setting.class == Class::NonUrgent && self.quiet_over >= setting.until {
            return PlannedFate::LeftOut("too_late");
        }
        self.gives(member, channel, value);
        let at = if setting.class == Class::Urgent { setting.now } else { self.quiet_over };
        PlannedFate::Goes { address: value.to_owned(), language, at }
    }
}

/// Reckons the audience. Members come in the order of their joining; where one SMS a dwelling is enough, the first gets it.
#[must_use]
pub(super) fn reckon(members: &[Recipient], setting: &Setting<'_>) -> Audience {
    let mut audience = Audience::default();
    let mut round = Round::new(setting);
    let class_plan = round.plan;
    for member in members {
        let plan = |channel, fate| Planned { membership: member.membership, person: member.person, channel, fate };
        if let Some(reason) = left_out(member, setting) {
            audience
                .planned
                .extend(class_plan.channels.iter().map(|channel| plan(*channel, PlannedFate::LeftOut(reason))));
            continue;
        }
        let found = language_for(member.language, setting);
        if found.is_none_or(|(_, is_fallback)| is_fallback) {
            *audience.fallbacks.entry(member.language).or_default() += 1;
        }
        let Some((language, _)) = found else {
            audience.language_missing = true;
            audience.planned.extend(
                class_plan.channels.iter().map(|channel| plan(*channel, PlannedFate::LeftOut("language_missing"))),
            );
            continue;
        };
        // Non-urgent: the preferred channel; the other one is held in reserve (`take_over`).
        let mut channels = class_plan.channels.clone();
        channels.sort_by_key(|channel| *channel != member.preferred_channel);
        let mut served = false;
        for channel in channels {
            let fate = if setting.class == Class::NonUrgent && served && address(member, channel).is_ok() {
                PlannedFate::LeftOut(NOT_CHOSEN)
            } else {
                round.fate(member, channel, language)
            };
            served |= matches!(fate, PlannedFate::Goes { .. });
            audience.planned.push(plan(channel, fate));
        }
    }
    audience
}
/// What becomes of those whom the chosen channel failed, on the one in reserve: the rules of `reckon` as they stand now.
/// `given` names who is reached already, and how.
#[must_use]
pub(super) fn reckon_reserves(
    members: &[Recipient],
    setting: &Setting<'_>,
    given: &HashSet<(Id<of::Person>, Channel)>,
    missed: &[InReserve],
) -> Vec<(InReserve, PlannedFate)> {
    let mut round = Round::new(setting);
    for member in members {
        for (channel, value) in [(Channel::Email, &member.email), (Channel::Sms, &member.mobile)] {
            if let Some(value) = value.as_deref().filter(|_| given.contains(&(member.person, channel))) {
                round.gives(member, channel, value);
            }
        }
    }
    let known: HashMap<Id<of::Person>, &Recipient> = members.iter().map(|member| (member.person, member)).collect();
    let fates = missed.iter().map(|row| {
        let Some(member) = known.get(&row.person).copied() else { return (*row, PlannedFate::LeftOut("left")) };
        if let Some(reason) = left_out(member, setting) {
            return (*row, PlannedFate::LeftOut(reason));
        }
        if !round.plan.channels.contains(&row.channel) {
            return (*row, PlannedFate::LeftOut("not_in_plan"));
        }
        match language_for(member.language, setting) {
            Some((language, _)) => (*row, round.fate(member, row.channel, language)),
            None => (*row, PlannedFate::LeftOut("language_missing")),
        }
    });
    fates.collect()
}
#[cfg(test)]
pub(super) mod tests {
    use super::super::quiet_hours::tests::belgium;
    use super::*;
    use crate::members::MembershipStatus;
    use crate::partnerships::PlanMode;

    pub(in crate::messages) fn noon() -> Timestamp {
        belgium(3, 2, 12, 0, true)
    }
    fn plan() -> PlanContent {
        let class = ClassPlan { channels: vec![Channel::Email, Channel::Sms], mode: PlanMode::Direct };
        PlanContent {
            urgent: class.clone(),
            non_urgent: class,
            fallback_languages: vec![Language::Nl, Language::Fr],
            quiet_from_hour: 21,
            quiet_until_hour: 8,
            sms_per_dwelling: false,
            release_alone: Vec::new(),
            urgent_validity_minutes: 60,
            officer_may_approve_own_non_urgent: false,
        }
    }
    pub(in crate::messages) fn member(number: u8) -> Recipient {
        Recipient {
            membership: Id::new(),
            person: Id::new(),
            language: Language::Fr,
            status: MembershipStatus::Active,
            email: Some(format!("member{number}@lion.example")),
            mobile: Some(format!("+3247000000{number}")),
            email_usable: true,
            mobile_usable: true,
            email_suspended: false,
            mobile_suspended: false,
            preferred_channel: Channel::Email,
            sms_at_night: true,
            email_stopped: false,
            sms_stopped: false,
            exercises: false,
            dwelling: Some(vec![number]),
            joined_at: Some(noon()),
        }
    }
    /// What a table row changes.
    struct Case {
        class: Class,
        kind: Kind,
        mode: Mode,
        rule: AudienceRule,
        reached_before: HashSet<Id<of::Person>>,
        written_in: Vec<Language>,
        plan: PlanContent,
        now: Timestamp,
    }
    fn urgent() -> Case {
        Case {
            class: Class::Urgent,
            kind: Kind::Start,
            mode: Mode::Live,
            rule: AudienceRule::Partnership,
            reached_before: HashSet::new(),
            written_in: Language::ALL.to_vec(),
            plan: plan(),
            now: noon(),
        }
    }
    fn quiet() -> Case {
        Case { class: Class::NonUrgent, ..urgent() }
    }
    impl Case {
        fn reckons(&self, members: &[Recipient]) -> Audience {
            let Self { class, kind, mode, rule, reached_before, written_in, plan, now } = self;
            let until = now.plus(std::time::Duration::from_secs(72 * 3600));
            let (class, kind, mode, now) = (*class, *kind, *mode, *now);
            reckon(members, &Setting { class, kind, mode, rule, reached_before, written_in, plan, now, until })
        }
        /// Of each member on each channel: the reason, or `goes`.
        fn words(&self, members: &[Recipient]) -> Vec<(usize, Channel, &'static str)> {
            let audience = self.reckons(members);
            let position = |planned: &Planned| members.iter().position(|m| m.membership == planned.membership).unwrap();
            let mut words: Vec<_> = audience
                .planned
                .iter()
                .map(|planned| {
                    let word = match planned.fate {
                        PlannedFate::Goes { .. } => "goes",
                        PlannedFate::LeftOut(reason) => reason,
                    };
                    (position(planned), planned.channel, word)
                })
                .collect();
            words.sort();
            words
        }
        /// What becomes of one member: mail, then SMS.
        fn of_one(&self, change: impl FnOnce(&mut Recipient)) -> [&'static str; 2] {
            let mut one = member(1);
            change(&mut one);
            let words = self.words(&[one]);
            assert_eq!(words.len(), 2, "every member has a row on every channel of the plan");
            [words[0].2, words[1].2]
        }
    }

    /// Ruling 3, duty M8: each reason once, by the least that brings it about.
    #[test]
    fn each_one_left_out_is_left_out_for_its_reason() {
        use MembershipStatus as S;
        for status in S::ALL {
            let expected = match status {
                S::Active | S::ReviewDue => "goes",
                S::Paused => "paused",
                S::Unreachable => "no_contact",
                _ => "suspended",
            };
            assert_eq!(urgent().of_one(|m| m.status = *status), [expected; 2], "{status:?}");
        }
        assert_eq!(urgent().of_one(|m| m.email = None), ["no_contact", "goes"]);
        assert_eq!(urgent().of_one(|m| m.mobile = None), ["goes", "no_contact"]);
        assert_eq!(urgent().of_one(|m| m.email_usable = false), ["unverified", "goes"]);
        assert_eq!(urgent().of_one(|m| m.mobile_usable = false), ["goes", "unverified"]);
        assert_eq!(urgent().of_one(|m| m.email_suspended = true), ["suspended_endpoint", "goes"]);
        assert_eq!(urgent().of_one(|m| m.mobile_suspended = true), ["goes", "suspended_endpoint"]);
        // Accept M18: the other channel takes over.
        assert_eq!(quiet().of_one(|m| m.email_suspended = true), ["suspended_endpoint", "goes"]);
        assert_eq!(urgent().of_one(|m| m.email_stopped = true), ["stopped", "goes"]);
        assert_eq!(urgent().of_one(|m| m.sms_stopped = true), ["goes", "stopped"]);
        let exercise = Case { mode: Mode::Exercise, ..urgent() };
        assert_eq!(exercise.of_one(|_| {}), ["no_exercises"; 2]);
        assert_eq!(exercise.of_one(|m| m.exercises = true), ["goes"; 2]);
        let german = Case { written_in: vec![Language::De], ..urgent() };
        assert_eq!(german.of_one(|_| {}), ["language_missing"; 2]);
    }
    #[test]
    fn at_night_an_sms_is_left_out_for_whoever_chose_so_and_never_the_mail() {
        for (hour, minute, night) in [(21, 59, false), (22, 0, true), (0, 0, true), (6, 59, true), (7, 0, false)] {
            let case = Case { now: belgium(3, 2, hour, minute, true), ..urgent() };
            let sms = if night { "night_choice" } else { "goes" };
            assert_eq!(case.of_one(|m| m.sms_at_night = false), ["goes", sms], "{hour}:{minute}");
            assert_eq!(case.of_one(|_| {}), ["goes"; 2]);
        }
    }
    #[test]
    fn what_is_not_urgent_takes_the_preferred_channel_and_then_the_other() {
        assert_eq!(quiet().of_one(|_| {}), ["goes", "not_chosen"]);
        assert_eq!(quiet().of_one(|m| m.preferred_channel = Channel::Sms), ["not_chosen", "goes"]);
        assert_eq!(quiet().of_one(|m| m.email = None), ["no_contact", "goes"]);
        assert_eq!(
            quiet().of_one(|m| {
                m.preferred_channel = Channel::Sms;
                m.sms_stopped = true;
            }),
            ["goes", "stopped"]
        );
        // Only what the plan names: without SMS nobody gets one, preferred or not.
        let mut case = quiet();
        case.plan.non_urgent.channels = vec![Channel::Email];
        let one = Recipient { preferred_channel: Channel::Sms, ..member(1) };
        assert_eq!(case.words(&[one]), [(0, Channel::Email, "goes")]);
    }
    #[test]
    fn one_address_is_written_to_once() {
        let twin = Recipient { mobile: member(1).mobile, ..member(2) };
        let expected = [
            (0, Channel::Email, "goes"),
            (0, Channel::Sms, "goes"),
            (1, Channel::Email, "goes"),
            (1, Channel::Sms, "duplicate"),
        ];
        assert_eq!(urgent().words(&[member(1), twin]), expected);
    }
    #[test]
    fn one_sms_for_a_dwelling_and_no_other_counts_as_given() {
        let case = Case { plan: PlanContent { sms_per_dwelling: true, ..plan() }, ..urgent() };
        let spouse = Recipient { dwelling: member(1).dwelling, ..member(2) };
        // Shares the spouse's number, which nobody was written to, and lives elsewhere.
        let parent = Recipient { mobile: spouse.mobile.clone(), ..member(3) };
        let words = case.words(&[member(1), spouse.clone(), parent]);
        let sms: Vec<_> = words.iter().filter(|word| word.1 == Channel::Sms).map(|word| word.2).collect();
        assert_eq!(sms, ["goes", "household", "goes"]);
        let mails = words.iter().filter(|word| word.1 == Channel::Email && word.2 == "goes").count();
        assert_eq!(mails, 3, "mails go to each");
        // Whoever gets no SMS takes none from those they live with.
        let silent = Recipient { sms_stopped: true, ..member(1) };
        let sms: Vec<_> = case.words(&[silent, spouse]).into_iter().filter(|word| word.1 == Channel::Sms).collect();
        assert_eq!(sms, [(0, Channel::Sms, "stopped"), (1, Channel::Sms, "goes")]);
        // Nobody shares a dwelling that is not known.
        let homeless = |number| Recipient { dwelling: None, ..member(number) };
        assert!(case.words(&[homeless(1), homeless(2)]).iter().all(|word| word.2 == "goes"));
    }
    /// Accept M12: who was told something is told what became of it, whatever they are now.
    #[test]
    fn a_follow_up_goes_to_those_who_were_reached() {
        let (had_it, newcomer) = (Recipient { status: MembershipStatus::Paused, ..member(1) }, member(2));
        let case = Case {
            rule: AudienceRule::RecipientsOf(Id::new()),
            reached_before: HashSet::from([had_it.person]),
            ..urgent()
        };
        let words: Vec<_> = case.words(&[had_it, newcomer]).into_iter().map(|word| word.2).collect();
        assert_eq!(words, ["goes", "goes", "not_reached_before", "not_reached_before"]);
    }
    /// Accept M15: one's own language, else the first agreed one that was written, else nobody is guessed at.
    #[test]
    fn everybody_reads_their_own_language_or_one_that_was_agreed() {
        use Language::{De, En, Fr, Nl};
        for (own, written, read) in [
            (De, vec![Fr, Nl, De, En], Some(De)),
            (De, vec![Fr, Nl], Some(Nl)),
            (De, vec![Fr, En], Some(Fr)),
            (Nl, vec![Fr], Some(Fr)),
            (De, vec![En], None),
            (En, vec![En], Some(En)),
        ] {
            let case = Case { written_in: written.clone(), ..urgent() };
            let audience = case.reckons(&[Recipient { language: own, ..member(1) }]);
            let languages: Vec<Language> = audience
                .planned
                .iter()
                .filter_map(|planned| match planned.fate {
                    PlannedFate::Goes { language, .. } => Some(language),
                    PlannedFate::LeftOut(_) => None,
                })
                .collect();
            assert_eq!(languages, read.map_or(Vec::new(), |language| vec![language; 2]), "{own:?} {written:?}");
            assert_eq!(audience.language_missing, read.is_none());
            assert_eq!(audience.fallbacks.get(&own).copied(), (read != Some(own)).then_some(1));
        }
    }
    #[test]
    fn urgent_leaves_now_and_the_rest_after_the_quiet_hours() {
        let night = belgium(3, 2, 23, 0, true);
        let when = |case: Case| {
            let audience = case.reckons(&[member(1)]);
            let at = audience.planned.iter().find_map(|planned| match planned.fate {
                PlannedFate::Goes { at, .. } => Some(at),
                PlannedFate::LeftOut(_) => None,
            });
            (at.unwrap(), audience.going(), audience.members_reached())
        };
        assert_eq!(when(Case { now: night, ..urgent() }), (night, 2, 1));
        assert_eq!(when(Case { now: night, ..quiet() }), (belgium(3, 3, 8, 0, true), 1, 1));
        assert_eq!(when(quiet()), (noon(), 1, 1));
    }
    /// The rules of a release, with what was given then: here one SMS is enough for a dwelling.
    #[test]
    fn whom_the_first_channel_failed_is_judged_by_the_same_rules() {
        let (served, same_home, elsewhere, alike) = (member(1), member(2), member(3), member(4));
        let same_home = Recipient { dwelling: served.dwelling.clone(), ..same_home };
        let alike = Recipient { dwelling: elsewhere.dwelling.clone(), ..alike };
        let mut case = quiet();
        case.plan.sms_per_dwelling = true;
        let members = [served, same_home, elsewhere, alike];
        let missed = |person| InReserve { id: 1, person, channel: Channel::Sms };
        let rows: Vec<InReserve> =
            members[1..].iter().map(|member| missed(member.person)).chain([missed(Id::new())]).collect();
        let setting = Setting {
            class: case.class,
            kind: case.kind,
            mode: case.mode,
            rule: &case.rule,
            reached_before: &case.reached_before,
            written_in: &case.written_in,
            plan: &case.plan,
            now: case.now,
            until: case.now.plus(std::time::Duration::from_secs(3600)),
        };
        let given = HashSet::from([(members[0].person, Channel::Sms)]);
        let words: Vec<&str> = reckon_reserves(&members, &setting, &given, &rows)
            .iter()
            .map(|(_, fate)| match fate {
                PlannedFate::Goes { .. } => "goes",
                PlannedFate::LeftOut(reason) => reason,
            })
            .collect();
        assert_eq!(words, ["household", "goes", "household", "left"]);
    }
}
