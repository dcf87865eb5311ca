//! A message as it will be read: once for each language and channel, when a version is saved. These bytes are hashed, seen
//! by the officer, approved and sent; nothing is rendered again later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::lifecycle::Facts;
use super::message::{AudienceRule, Class, Mode, Texts};
use crate::delivery::Body;
use crate::delivery::Channel;
use crate::partnerships::Partnership;
use crate::territory::Zone;
use crate::texts::{self, Announcement};
use crate::values::Language;
use crate::values::hex;

/// What each language says on each channel.
pub(super) type Rendered = BTreeMap<Language, LanguageRendered>;

/// What one language says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LanguageRendered {
    /// The mail, with the two places where the recipient's own links are put.
    pub email: Body,
    /// The SMS.
    pub sms: Body,
}
impl LanguageRendered {
    /// What a channel carries.
    #[must_use]
    pub(super) const fn body(&self, channel: Channel) -> &Body {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
        }
    }
}

/// Where anybody can see that a message is real.
#[must_use]
pub(super) fn verify_url(public_url: &str, short_code: &str) -> String {
    format!("{public_url}/v/{short_code}")
}

/// Renders every language of a message.
#[must_use]
pub(super) fn render(
    facts: &Facts,
    texts: &Texts,
    partnership: &Partnership,
    zone: &Zone,
    public_url: &str,
) -> Rendered {
    let url = verify_url(public_url, &facts.short_code);
    let mut rendered = Rendered::new();
    for (language, text) in texts.iter() {
        let name = partnership
            .names
            .best(language, &zone.languages)
            .map_or(partnership.short_name.as_str(), |(_, name)| name.as_str());
        let zone_name = zone.names.best(language, &zone.languages).map_or("", |(_, name)| name.as_str());
        let mail = texts::announcement_mail(language, &announcement(facts, text, name, zone_name, &url));
        let sms =
            texts::announcement_sms(language, &announcement(facts, text, &partnership.short_name, zone_name, &url));
        rendered.insert(
            language,
            LanguageRendered {
                email: Body { subject: mail.subject, text: mail.text, html: Some(mail.html) },
                sms: Body { subject: String::new(), text: sms, html: None },
            },
        );
    }
    rendered
}
fn announcement<'a>(
    facts: &Facts,
    text: &'a super::message::MessageText,
    partnership: &'a str,
    zone: &'a str,
    url: &'a str,
) -> Announcement<'a> {
    Announcement {
        partnership,
        zone,
        class_urgent: facts.class == Class::Urgent,
        exercise: facts.mode == Mode::Exercise,
        kind: facts.kind.as_str(),
        title: text.title.as_str(),
        body: text.body.as_str(),
        sms_body: text.sms_text(),
        verify_url: url,
    }
}

/// The hash that an approval binds: every language and channel, and what decides who gets it and for how long (accept M1).
#[must_use]
pub(super) fn version_hash(facts: &Facts, audience: &AudienceRule, rendered: &Rendered) -> String {
    let mut hasher = Sha256::new();
    let mut part = |text: &str| {
        hasher.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(text.as_bytes());
    };
    part("vigie message version 1");
    part(&facts.id.to_string());
    part(facts.class.as_str());
    part(facts.kind.as_str());
    part(facts.mode.as_str());
    part(facts.source.as_str());
    part(&facts.validity_minutes.to_string());
    part(&match audience {
        AudienceRule::Partnership => format!("partnership {}", facts.partnership),
        AudienceRule::RecipientsOf(message) => format!("recipients of {message}"),
    });
    for (language, bodies) in rendered {
        for channel in Channel::ALL {
            part(language.as_str());
            part(channel.as_str());
            part(&bodies.body(*channel).hash());
        }
    }
    hex(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::super::message::{InformationSource, Kind, MessageText};
    use super::*;
    use crate::partnerships::PartnershipKind;
    use crate::partnerships::PartnershipStatus;
    use crate::territory::OpeningHours;
    use crate::territory::OwnMessage;
    use crate::values::Id;
    use crate::values::Line;
    use crate::values::Localized;
    use crate::values::Prose;

    fn names(french: &str, dutch: &str) -> Localized<Line<120>> {
        Localized::new([(Language::Fr, Line::parse(french).unwrap()), (Language::Nl, Line::parse(dutch).unwrap())])
    }
    fn partnership() -> Partnership {
        Partnership {
            id: Id::new(),
            zone: Id::new(),
            kind: PartnershipKind::Citizen,
            names: names("PLP Quartier du Lion", "BIN Leeuwwijk"),
            short_name: "PLP Lion".to_owned(),
            status: PartnershipStatus::Active,
            status_reason: None,
            municipalities: Vec::new(),
            legal_ref: None,
            registered_ref: None,
            version: 1,
        }
    }
    fn zone() -> Zone {
        Zone {
            id: Id::new(),
            number: "9999".to_owned(),
            names: names("ZP Waterloo", "PZ Waterloo"),
            languages: vec![Language::Fr, Language::Nl],
            phone: "+3223520000".to_owned(),
            email: None,
            hours: OpeningHours::default(),
            own_message: OwnMessage::Dual,
            municipalities: Vec::new(),
            version: 1,
        }
    }
    fn text(title: &str, body: &str, sms: Option<&str>) -> MessageText {
        MessageText {
            title: Line::parse(title).unwrap(),
            body: Prose::parse(body).unwrap(),
            sms: sms.map(|sms| Line::parse(sms).unwrap()),
        }
    }
    fn plain(language: Language) -> (Language, MessageText) {
        (language, text("Cambriolage", "Restez chez vous.", Some("Cambriolage. Restez chez vous.")))
    }
    /// Everything an approval binds.
    #[derive(Clone)]
    struct Bound {
        facts: Facts,
        texts: Vec<(Language, MessageText)>,
        audience: AudienceRule,
        partnership: Partnership,
        zone: Zone,
        url: &'static str,
    }
    impl Bound {
        fn rendered(&self) -> Rendered {
            let texts = Localized::new(self.texts.iter().cloned());
            render(&self.facts, &texts, &self.partnership, &self.zone, self.url)
        }
        fn hash(&self) -> String {
            version_hash(&self.facts, &self.audience, &self.rendered())
        }
    }
    fn bound() -> Bound {
        Bound {
            facts: Facts::example(),
            texts: vec![plain(Language::Fr), plain(Language::Nl)],
            audience: AudienceRule::Partnership,
            partnership: partnership(),
            zone: zone(),
            url: "https://vigie.example",
        }
    }

    /// Accept M1: whatever a reader could notice, or decides who reads it and for how long, changes the hash.
    #[test]
    fn whatever_is_bound_changes_the_hash() {
        type Change = (&'static str, fn(&mut Bound));
        let changes: [Change; 19] = [
            ("a title", |b| b.texts[0].1 = text("Vol", "Restez chez vous.", Some("Cambriolage. Restez chez vous."))),
            ("a body", |b| {
                b.texts[0].1 = text("Cambriolage", "Restez chez vous !", Some("Cambriolage. Restez chez vous."))
            }),
            ("an SMS", |b| b.texts[0].1 = text("Cambriolage", "Restez chez vous.", Some("Cambriolage."))),
            ("an SMS left out", |b| b.texts[0].1 = text("Cambriolage", "Restez chez vous.", None)),
            ("the other language", |b| b.texts[1].1 = text("Inbraak", "Blijf binnen.", None)),
            ("one language less", |b| b.texts.truncate(1)),
            ("one language more", |b| b.texts.push(plain(Language::De))),
            ("another language", |b| b.texts[1].0 = Language::En),
            ("the mode", |b| b.facts.mode = Mode::Exercise),
            ("the class", |b| b.facts.class = Class::NonUrgent),
            ("the kind", |b| b.facts.kind = Kind::Update),
            ("the source", |b| b.facts.source = InformationSource::Police),
            ("the validity", |b| b.facts.validity_minutes += 1),
            ("the message", |b| b.facts.id = Id::new()),
            ("the code", |b| b.facts.short_code = "ABCDEFGH".to_owned()),
            ("for whom", |b| b.audience = AudienceRule::RecipientsOf(Id::new())),
            ("the partnership it is meant for", |b| b.facts.partnership = Id::new()),
            ("the name of the partnership", |b| b.partnership.names = names("PLP Autre", "BIN Leeuwwijk")),
            ("where it is checked", |b| b.url = "https://other.example"),
        ];
        let first = bound();
        let hash = first.hash();
        for (what, change) in changes {
            let mut other = first.clone();
            change(&mut other);
            assert_ne!(other.hash(), hash, "{what}");
        }
    }
    #[test]
    fn what_is_not_bound_leaves_the_hash_as_it_is() {
        type Change = (&'static str, fn(&mut Bound));
        let changes: [Change; 6] = [
            ("nothing", |_| {}),
            ("the order in which the languages came", |b| b.texts.reverse()),
            ("who wrote it", |b| b.facts.author = Id::new()),
            ("how often it was changed", |b| b.facts.version += 5),
            ("the number of the version", |b| b.facts.current_version += 1),
            ("the state of the partnership", |b| b.partnership.status = PartnershipStatus::Suspended),
        ];
        let first = bound();
        let hash = first.hash();
        assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
        for (what, change) in changes {
            let mut other = first.clone();
            change(&mut other);
            assert_eq!(other.hash(), hash, "{what}");
        }
    }
    /// Two recipients that differ only in which message reached them are two audiences.
    #[test]
    fn each_audience_has_its_hash() {
        let one = Bound { audience: AudienceRule::RecipientsOf(Id::new()), ..bound() };
        let other = Bound { audience: AudienceRule::RecipientsOf(Id::new()), ..one.clone() };
        assert_ne!(one.hash(), other.hash());
    }
    /// Duties C17, M7: the numbers and the check stand on every channel, in every language; names are the reader's.
    #[test]
    fn every_text_carries_the_numbers_and_the_check() {
        let all = Bound { texts: Language::ALL.iter().map(|language| plain(*language)).collect(), ..bound() };
        let rendered = all.rendered();
        assert_eq!(rendered.keys().copied().collect::<Vec<_>>(), Language::ALL);
        for (language, bodies) in &rendered {
            for shown in [&bodies.email.text, bodies.email.html.as_ref().unwrap(), &bodies.sms.text] {
                for wanted in ["101", "112", "vigie.example", "K7QX2M4P"] {
                    assert!(shown.contains(wanted), "{wanted} in {language:?}: {shown}");
                }
            }
            assert!(bodies.sms.text.starts_with("PLP Lion: "), "{}", bodies.sms.text);
            assert_eq!(bodies.sms.html, None);
        }
        assert!(rendered[&Language::Nl].email.subject.contains("BIN Leeuwwijk"));
        // Where the zone has no name in it, its first language speaks.
        assert!(rendered[&Language::De].email.subject.contains("PLP Quartier du Lion"));
    }
    #[test]
    fn the_title_is_the_sms_of_whoever_wrote_none() {
        let silent = Bound { texts: vec![(Language::Fr, text("Vol rue du Lion", "Restez.", None))], ..bound() };
        assert!(silent.rendered()[&Language::Fr].sms.text.contains("Vol rue du Lion"));
        assert_eq!(silent.rendered()[&Language::Fr].body(Channel::Sms), &silent.rendered()[&Language::Fr].sms);
    }
}
