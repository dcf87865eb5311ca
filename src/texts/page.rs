//! The few pages people reach by a link in a letter: plain HTML without scripts, one style sheet, four languages.

use minijinja::{HtmlEscape, Value, context};

use super::phrase::{complete, find, kinds, phrase};
use super::template::render;
use crate::values::Language;

/// The style sheet of the pages, served as `/pages/style.css`.
pub const STYLE: &str = include_str!("templates/style.css");

/// What each language calls itself.
const LANGUAGES: &[(Language, &str)] =
    &[(Language::Fr, "Français"), (Language::Nl, "Nederlands"), (Language::De, "Deutsch"), (Language::En, "English")];

/// What can be said of a message that exists.
const STATES: &[&str] = &["genuine", "exercise", "stopped", "corrected"];

kinds! {
    /// The pages. A form is sent to the page's own address. Every form may be given a `problem`: a code of the phrases
    /// `problem-…`, or words.
    PageKind {
        /// Asks whether to leave; sends `confirm=yes`.
        Leave = "leave" ["partnership"],
        /// The member has left.
        Left = "left" ["partnership"],
        /// Asks whether to stop the mails; sends `List-Unsubscribe=One-Click`.
        Unsubscribe = "unsubscribe" ["partnership"],
        /// No more mails.
        Unsubscribed = "unsubscribed" ["partnership"],
        /// Asks for the `code` that was sent.
        ConfirmContact = "confirm_contact" ["partnership"],
        /// The contact is confirmed.
        ContactConfirmed = "contact_confirmed" ["partnership"],
        /// Asks for `password` and `password_repeat`.
        AcceptInvitation = "accept_invitation" ["name", "inviter", "role"],
        /// The invitation is accepted.
        InvitationAccepted = "invitation_accepted" [],
        /// Asks for `password` and `password_repeat`, in place of the old one.
        ResetPassword = "reset_password" ["name"],
        /// The new password is in force.
        PasswordReset = "password_reset" [],
        /// Whether a message is genuine. `state` is `genuine`, `exercise`, `stopped`, `corrected` or `unknown` (which
        /// shows none of the other values). Never shows the message.
        Verify = "verify" ["state", "partnership", "zone", "sent_at"],
        /// All that is held about a person. `rows` is a list of `{label, value}`, `memberships` a list of
        /// `{partnership, detail, leave_url}`, the last two optional.
        MyData = "my_data" ["rows", "memberships"],
        /// Something did not work. Both values are words for the reader.
        Problem = "problem" ["title", "detail"],
    }
}

/// The whole HTML document of this page.
#[must_use]
pub fn page(language: Language, kind: PageKind, values: &Value) -> String {
    let texts: Vec<(String, String)> = values
        .try_iter()
        .into_iter()
        .flatten()
        .filter_map(|name| {
            let value = values.get_item(&name).ok().filter(|value| !value.is_undefined() && !value.is_none())?;
            Some((name.to_string(), value.to_string()))
        })
        .collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let given = |name: &str| texts.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| *value);

    // What is said of an unknown message needs no values.
    let unknown = kind == PageKind::Verify && !STATES.contains(&given("state"));
    let needed = if unknown { &[] } else { kind.values_needed() };
    let completed = complete(language, kind.key(), needed, &texts);
    let completed: Vec<(&str, &str)> = completed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let say = |part: &str| phrase(language, &format!("page-{}-{part}", kind.key()), &completed);

    let (title, body) = match kind {
        PageKind::Problem => (given("title").to_owned(), given("detail").to_owned()),
        PageKind::Verify if unknown => (say("title"), say("unknown")),
        PageKind::Verify => (say("title"), say(given("state"))),
        _ => (say("title"), say("body")),
    };
    let problem = match given("problem") {
        "" => None,
        problem => Some(find(language, &format!("problem-{problem}"), &[]).unwrap_or_else(|| problem.to_owned())),
    };
    let languages: Vec<Value> =
        LANGUAGES.iter().map(|(language, name)| context! { code => language.as_str(), name => *name }).collect();
    render(
        "page.html",
        context! {
            language => language.as_str(),
            languages,
            kind => kind.key(),
            title => title.as_str(),
            paragraphs => body.lines().filter(|line| !line.trim().is_empty()).map(Value::from).collect::<Vec<_>>(),
            problem,
            v => values.clone(),
        },
    )
    .unwrap_or_else(|| format!("<h1>{}</h1><p>{}</p>", HtmlEscape(&title), HtmlEscape(&body)))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use minijinja::{HtmlEscape, Value, context};

    use super::super::letter::tests::{is_clean, samples};
    use super::{LANGUAGES, Language, PageKind, STYLE, page};

    fn value(given: &[(&'static str, String)]) -> Value {
        Value::from(given.iter().cloned().collect::<BTreeMap<_, _>>())
    }
    /// What the policy of the pages and their readers ask of every page.
    fn is_fit(page: &str, language: Language) {
        is_clean(page, true);
        assert!(page.starts_with(&format!("<!doctype html>\n<html lang=\"{}\">", language.as_str())), "{page}");
        assert!(page.contains("<link rel=\"stylesheet\" href=\"/pages/style.css\">"), "{page}");
        assert!(page.contains("101") && page.contains("112"), "{page}");
        for banned in [" style=", "<style", " onclick", " src=", "action="] {
            assert!(!page.contains(banned), "{banned} in {page}");
        }
        for (other, name) in LANGUAGES {
            assert!(page.contains(&format!("href=\"?lang={}\"", other.as_str())) && page.contains(name), "{page}");
        }
        assert_eq!(page.matches("aria-current").count(), 1, "{page}");
        assert_eq!(page.matches("<h1>").count(), 1, "{page}");
        for label in page.split("<label for=\"").skip(1) {
            let id = label.split('"').next().unwrap();
            assert!(page.contains(&format!(" id=\"{id}\"")), "{id} in {page}");
        }
    }

    #[test]
    fn every_page_says_all_it_is_given_in_every_language() {
        for language in Language::ALL {
            for kind in PageKind::ALL.iter().filter(|kind| !matches!(kind, PageKind::Verify | PageKind::MyData)) {
                let given = samples(kind.values_needed());
                let page = page(*language, *kind, &value(&given));
                is_fit(&page, *language);
                for (name, value) in &given {
                    assert!(page.contains(&HtmlEscape(value).to_string()), "{name} in {kind:?} {language:?}: {page}");
                }
            }
        }
    }
    #[test]
    fn a_message_is_genuine_an_exercise_stopped_corrected_or_unknown() {
        for language in Language::ALL {
            let mut seen = BTreeSet::new();
            for state in ["genuine", "exercise", "stopped", "corrected"] {
                let page = page(
                    *language,
                    PageKind::Verify,
                    &context! { state, partnership => "Le Sart", zone => "Zone 5306", sent_at => "3.3.2026" },
                );
                is_fit(&page, *language);
                assert!(["Le Sart", "Zone 5306", "3.3.2026"].iter().all(|text| page.contains(text)), "{page}");
                seen.insert(page);
            }
            let unknown = page(*language, PageKind::Verify, &context! { state => "unknown" });
            is_fit(&unknown, *language);
            assert_eq!(unknown, page(*language, PageKind::Verify, &context! { state => "title" }));
            let gap = page(*language, PageKind::Verify, &context! { state => "genuine", partnership => "Le Sart" });
            assert!(gap.contains("Le Sart") && gap != unknown, "{gap}");
            seen.insert(unknown);
            assert_eq!(seen.len(), 5);
        }
    }
    #[test]
    fn my_data_is_a_table_and_a_list() {
        for language in Language::ALL {
            let given = context! {
                rows => vec![context! { label => "E-mail", value => "<script>@x.example" }],
                memberships => vec![
                    context! { partnership => "Le Sart", detail => "2026", leave_url => "https://vigie.example/l/1" },
                    context! { partnership => "La Haie" },
                ],
            };
            let page = page(*language, PageKind::MyData, &given);
            is_fit(&page, *language);
            for text in [
                "<th scope=\"row\">E-mail</th><td>&lt;script&gt;@x.example</td>",
                "Le Sart",
                "La Haie",
                "vigie.example",
            ] {
                assert!(page.contains(text), "{text} in {page}");
            }
            assert_eq!(page.matches("<li>").count(), 2);
        }
    }
    #[test]
    fn the_forms_send_what_the_doors_behind_them_read() {
        let form = |kind, problem: &str| {
            page(
                Language::Fr,
                kind,
                &context! { partnership => "Le Sart", name => "An", inviter => "Zone", role => "deputy", problem },
            )
        };
        for (kind, fields) in [
            (PageKind::Leave, &["type=\"hidden\" name=\"confirm\" value=\"yes\""][..]),
            (PageKind::Unsubscribe, &["type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\""]),
            (PageKind::ConfirmContact, &["name=\"code\""]),
            (PageKind::AcceptInvitation, &["name=\"password\"", "name=\"password_repeat\"", "coordinateur adjoint"]),
            (PageKind::ResetPassword, &["name=\"password\"", "name=\"password_repeat\""]),
        ] {
            let page = form(kind, "");
            assert!(page.contains("<form method=\"post\" enctype=\"application/x-www-form-urlencoded\">"), "{page}");
            assert!(fields.iter().all(|field| page.contains(field)) && !page.contains("role=\"alert\""), "{page}");
            assert!(form(kind, "wrong_code").contains("role=\"alert\">Le code"), "{page}");
            assert!(form(kind, "Eh <b>").contains("role=\"alert\">Eh &lt;b&gt;"), "{page}");
        }
        assert!(!form(PageKind::Left, "").contains("<form"));
        let button = page(Language::De, PageKind::Leave, &context! { partnership => "Le Sart" });
        assert!(button.contains("<button type=\"submit\">Ja, ich verlasse das Netz</button>"), "{button}");
    }
    #[test]
    fn the_style_sheet_fetches_nothing() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && STYLE.contains("font-size"));
    }
}
