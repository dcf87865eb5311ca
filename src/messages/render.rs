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

/// What each language says on each channel.
pub type Rendered = BTreeMap<Language, LanguageRendered>;

/// What one language says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanguageRendered {
    /// The mail, with the two places where the recipient's own links are put.
    pub email: Body,
    /// The SMS.
    pub sms: Body,
}
impl LanguageRendered {
    /// What a channel carries.
    #[must_use]
    pub const fn body(&self, channel: Channel) -> &Body {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
        }
    }
}

/// Where anybody can see that a message is real.
#[must_use]
pub fn verify_url(public_url: &str, short_code: &str) -> String {
    format!("{public_url}/v/{short_code}")
}

/// Renders every language of a message.
#[must_use]
pub fn render(facts: &Facts, texts: &Texts, partnership: &Partnership, zone: &Zone, public_url: &str) -> Rendered {
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
pub fn version_hash(facts: &Facts, audience: &AudienceRule, rendered: &Rendered) -> String {
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
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
