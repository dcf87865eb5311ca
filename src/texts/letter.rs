//! Letters and short messages the system writes itself, to one person about one thing.

use minijinja::value::Value;
use minijinja::{HtmlEscape, context};

use super::phrase::{complete, kinds, phrase};
use super::template::render;
use crate::values::Language;

/// A mail ready to be addressed: the same content as plain text and as HTML.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The subject: one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The whole HTML document.
    pub html: String,
}

kinds! {
    /// What a letter is about. `role`, `kind` and `reason` may be codes: they are put in the reader's language.
    LetterKind {
        /// Somebody is invited to take a role.
        Invitation = "invitation" ["name", "inviter", "role", "url", "hours"],
        /// The way to a new password.
        PasswordReset = "password_reset" ["name", "url", "minutes"],
        /// The password was changed.
        PasswordChanged = "password_changed" ["name"],
        /// An address given to a partnership must be confirmed by its owner.
        ConfirmContact = "confirm_contact" ["partnership", "code", "url", "hours"],
        /// The request to join has arrived and waits for the coordinator.
        ApplicationReceived = "application_received" ["partnership"],
        /// The request to join was accepted.
        Admitted = "admitted" ["name", "partnership", "leave_url"],
        /// The request to join was refused.
        ApplicationRefused = "application_refused" ["partnership", "reason"],
        /// The person is no longer a member.
        Left = "left" ["name", "partnership"],
        /// A message waits for an officer's approval. Never carries its text.
        WaitingForOfficer = "waiting_for_officer" ["partnership", "kind", "inbox_url"],
        /// The author has to rewrite a message.
        MessageReturned = "message_returned" ["partnership", "reason"],
        /// A message will not be sent.
        MessageRejected = "message_rejected" ["partnership", "reason"],
        /// An urgent message was released: told to all who answer for it.
        MessageApproved = "message_approved" ["partnership", "url"],
        /// Another officer has to read again what its author approved alone.
        AfterReviewDue = "after_review_due" ["partnership", "url"],
        /// An urgent message does not leave: told to the officers of the zone. Never carries its text. `sms`: whether one
        /// goes too (`sent`), or why not (`suspended`, `none`).
        NothingLeaves = "nothing_leaves" ["partnership", "code", "url", "sms"],
        /// A role came to its end.
        MandateEnded = "mandate_ended" ["name", "role"],
        /// A member stopped SMS; told to those who keep the list. Never says who, nor the number.
        MemberStoppedSms = "member_stopped_sms" ["partnership", "url"],
        /// Somebody's contact details were changed.
        ContactChanged = "contact_changed" ["name"],
    }
}

kinds! {
    /// What a short message is about.
    SmsKind {
        /// A telephone number given to a partnership must be confirmed by its owner.
        ContactCode = "contact_code" ["partnership", "code"],
        /// A message waits for an officer's approval; the code is its reference.
        WaitingForOfficer = "waiting_for_officer" ["partnership", "code"],
        /// An urgent message does not leave; the code is its reference.
        NothingLeaves = "nothing_leaves" ["partnership", "code"],
        /// The answer to STOP where e-mail goes on.
        Stop = "stop" ["partnership"],
        /// The answer to STOP where nothing else may be left.
        StopLast = "stop_last" ["partnership"],
        /// The answer to START that undid a STOP.
        Start = "start" ["partnership"],
        /// The answer to HELP.
        Help = "help" ["partnership"],
        /// The answer to everything else: nobody reads it.
        NobodyReads = "nobody_reads" ["partnership"],
    }
}

/// The letter of this kind.
#[must_use]
pub fn letter(language: Language, kind: LetterKind, values: &[(&str, &str)]) -> Letter {
    let values = complete(language, kind.key(), kind.values_needed(), values);
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let say = |part: &str| phrase(language, &format!("letter-{}-{part}", kind.key()), &values);
    let greeting = if kind.values_needed().contains(&"name") { "letter-greeting-name" } else { "letter-greeting" };
    let url = values.iter().find(|(name, _)| name.ends_with("url")).map(|(_, url)| *url);
    let body = say("body");
    mail(
        one_line(&say("subject")),
        &body,
        context! {
            language => language.as_str(),
            greeting => phrase(language, greeting, &values),
            links => url.map(|url| link(say("link"), url)).into_iter().collect::<Vec<_>>(),
            remarks => vec![phrase(language, "letter-automatic", &[])],
        },
    )
}

/// The short message of this kind, in letters of the GSM alphabet as far as the words are ours.
#[must_use]
pub fn sms(language: Language, kind: SmsKind, values: &[(&str, &str)]) -> String {
    let values = complete(language, kind.key(), kind.values_needed(), values);
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    one_line(&phrase(language, &format!("sms-{}", kind.key()), &values))
}

/// One link of a mail.
pub(super) fn link(label: String, url: &str) -> Value {
    context! { label, url }
}

/// The mail with this body, once as text and once as HTML. Should a template fail, the bare body still leaves.
pub(super) fn mail(subject: String, body: &str, rest: Value) -> Letter {
    let values = context! { subject => subject.as_str(), paragraphs => paragraphs(body), ..rest };
    let text = render("mail.txt", values.clone()).unwrap_or_else(|| body.to_owned());
    let html = render("mail.html", values).unwrap_or_else(|| format!("<pre>{}</pre>", HtmlEscape(body)));
    Letter { subject, text, html }
}

/// Paragraphs are set apart by empty lines; within one, lines are kept.
fn paragraphs(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.split(String::is_empty).filter(|lines| !lines.is_empty()).map(<[String]>::to_vec).collect()
}

/// The same text without line breaks and other control characters: fit for a subject or a short message.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
pub(super) mod tests {
    use minijinja::HtmlEscape;
    use rusmpp_extra::encoding::gsm7bit::Gsm7BitUnpacked;

    use super::{Language, LetterKind, SmsKind, letter, one_line, sms};

    /// One recognisable value for each name.
    pub(in crate::texts) fn samples(names: &[&'static str]) -> Vec<(&'static str, String)> {
        let sample = |name: &str| match name {
            "hours" | "minutes" => "37".to_owned(),
            name if name.ends_with("url") => format!("https://vigie.example/{name}?a=1&b=2"),
            name => format!("<script>{name}</script> {{{{7*7}}}}"),
        };
        names.iter().map(|name| (*name, sample(name))).collect()
    }
    pub(in crate::texts) fn pairs<'a>(samples: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
        samples.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
    /// No key where a phrase should be, no invisible mark, no tag that came in a value.
    pub(in crate::texts) fn is_clean(text: &str, html: bool) {
        assert!(!text.contains(['\u{2068}', '\u{2069}']), "{text}");
        for family in ["letter-", "sms-", "page-", "mail-", "role-", "kind-", "reason-", "problem-"] {
            assert!(
                !text.split(|c: char| c.is_whitespace() || c == '>').any(|word| word.starts_with(family)),
                "{family} in {text}"
            );
        }
        if html {
            assert!(!text.contains("<script"), "{text}");
        }
    }
    /// Only letters of the basic GSM alphabet: each takes one place (the extension table takes two).
    pub(in crate::texts) fn is_gsm(text: &str) {
        let encoded = Gsm7BitUnpacked::new().encode_to_vec(text).unwrap_or_else(|fault| panic!("{fault:?} in {text}"));
        assert_eq!(encoded.len(), text.chars().count(), "{text}");
    }

    #[test]
    fn an_alarm_says_in_every_language_whether_an_sms_comes_too() {
        for language in Language::ALL {
            for kind in LetterKind::ALL.iter().filter(|kind| kind.values_needed().contains(&"sms")) {
                let said = ["sent", "suspended", "none"].map(|word| {
                    let mut given = samples(kind.values_needed());
                    given.iter_mut().filter(|(name, _)| *name == "sms").for_each(|(_, value)| *value = word.to_owned());
                    letter(*language, *kind, &pairs(&given)).text
                });
                let different: std::collections::HashSet<&String> = said.iter().collect();
                assert_eq!(different.len(), 3, "{kind:?} {language:?}");
            }
        }
    }

    #[test]
    fn every_letter_says_all_it_is_given_in_every_language() {
        for language in Language::ALL {
            for kind in LetterKind::ALL {
                let given = samples(kind.values_needed());
                let letter = letter(*language, *kind, &pairs(&given));
                // `sms` chooses a sentence; the others are shown.
                for (name, value) in given.iter().filter(|(name, _)| *name != "sms") {
                    assert!(letter.text.contains(value), "{name} in {kind:?} {language:?}: {}", letter.text);
                    assert!(
                        letter.html.contains(&HtmlEscape(value).to_string()),
                        "{name} in {kind:?} {language:?}: {}",
                        letter.html
                    );
                }
                for text in [&letter.text, &letter.html] {
                    assert!(text.contains("101") && text.contains("112"), "{text}");
                }
                is_clean(&letter.subject, false);
                is_clean(&letter.text, false);
                is_clean(&letter.html, true);
                assert!(letter.html.contains(&format!("<html lang=\"{}\">", language.as_str())));
            }
        }
    }
    #[test]
    fn codes_are_put_in_the_readers_language() {
        let refused = |language| {
            letter(language, LetterKind::ApplicationRefused, &[("partnership", "Le Sart"), ("reason", "not_adult")])
                .text
        };
        assert!(refused(Language::Fr).contains("majeur") && refused(Language::De).contains("volljährig"));
        let free = letter(
            Language::Fr,
            LetterKind::MessageReturned,
            &[("partnership", "Le Sart"), ("reason", "Sans adresse.\nMerci")],
        );
        assert!(
            free.text.contains("Sans adresse.\nMerci") && free.html.contains("Sans adresse.<br>Merci"),
            "{}",
            free.html
        );
    }
    #[test]
    fn a_letter_with_a_gap_still_leaves_and_its_subject_is_one_line() {
        let letter = letter(Language::Nl, LetterKind::Left, &[("partnership", "De\r\nBcc: x@y.example")]);
        assert!(letter.subject.starts_with("De Bcc: x@y.example: "), "{}", letter.subject);
        assert!(letter.text.starts_with("Goedendag ,\n"), "{}", letter.text);
        assert_eq!(one_line("a\u{0}b\n\n c\u{2028}d"), "a b c d");
    }
    #[test]
    fn every_short_message_fits_the_gsm_alphabet() {
        for language in Language::ALL {
            for kind in SmsKind::ALL {
                let given: Vec<_> = kind.values_needed().iter().map(|name| (*name, format!("({name})"))).collect();
                let text = sms(*language, *kind, &pairs(&given));
                for (_, value) in &given {
                    assert!(text.contains(value), "{text}");
                }
                is_clean(&text, false);
                is_gsm(&text);
                assert!(text.len() <= 160, "{text}");
            }
        }
    }
}
