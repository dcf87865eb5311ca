//! What the police approved, on its way to the members: our frame around their words.

use minijinja::context;

use super::letter::{Letter, link, mail, one_line};
use super::phrase::{find, phrase};
use crate::values::Language;

/// Stands once in the text and once in the HTML of an announcement, for the recipient's own link to leave.
pub const LEAVE_PLACEHOLDER: &str = "{{leave_url}}";
/// Stands once in the text and once in the HTML of an announcement, for the recipient's own link to stop these mails.
pub const UNSUBSCRIBE_PLACEHOLDER: &str = "{{unsubscribe_url}}";

/// How many characters of the partnership's name a short message can spare.
const SHORT: usize = 30;

/// A message of the police to the members of a partnership.
#[derive(Clone, Copy)]
pub struct Announcement<'a> {
    /// The partnership's name.
    pub partnership: &'a str,
    /// The name of the police zone that answers for it.
    pub zone: &'a str,
    /// Is it an urgent one?
    pub class_urgent: bool,
    /// Is it an exercise?
    pub exercise: bool,
    /// Its kind, as in the phrases `kind-…`: `start`, `update`, `end` and so on.
    pub kind: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Its text; empty lines set paragraphs apart.
    pub body: &'a str,
    /// The text of its short message.
    pub sms_body: &'a str,
    /// Where anybody can see whether it is genuine.
    pub verify_url: &'a str,
}

/// The mail of an announcement, equal for all who read it in this language but for the two placeholders.
#[must_use]
pub fn announcement_mail(language: Language, announcement: &Announcement<'_>) -> Letter {
    let say = |key: &str| phrase(language, key, &[]);
    let Announcement { class_urgent: urgent, exercise, kind, verify_url, .. } = *announcement;
    let [partnership, title, zone] =
        [announcement.partnership, announcement.title, announcement.zone].map(|text| harmless(&one_line(text)));
    let kind_word = find(language, &format!("kind-{kind}"), &[]).unwrap_or_else(|| harmless(&one_line(kind)));

    // "First message" is a word of the trade; what follows it is worth telling apart at a glance.
    let marks = [
        exercise.then(|| say("mail-exercise")),
        urgent.then(|| say("mail-urgent")),
        (kind != "start").then(|| kind_word.clone()),
        Some(format!("{title} ({partnership})")),
    ];
    let subject = marks.into_iter().flatten().collect::<Vec<_>>().join(" - ");

    let class = if urgent { "class-urgent" } else { "class-non_urgent" };
    mail(
        subject,
        &harmless(announcement.body),
        context! {
            language => language.as_str(),
            notice => exercise.then(|| say("mail-exercise-notice")),
            label => format!("{partnership} - {} - {kind_word}", say(class)),
            title,
            remarks => vec![phrase(language, "mail-validated", &[("zone", &zone)])],
            remark_links => vec![
                link(say("mail-verify"), verify_url),
                link(say("mail-leave"), LEAVE_PLACEHOLDER),
                link(say("mail-unsubscribe"), UNSUBSCRIBE_PLACEHOLDER),
            ],
        },
    )
}

/// The short message of an announcement: who speaks, what is said, whom to call, where to check.
#[must_use]
pub fn announcement_sms(language: Language, announcement: &Announcement<'_>) -> String {
    let exercise = match announcement.exercise {
        true => phrase(language, "sms-exercise", &[]) + " ",
        false => String::new(),
    };
    let url = announcement.verify_url;
    let url = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
    format!("{exercise}{}: {} 101/112 {url}", short(announcement.partnership), announcement.sms_body)
}

/// A name cut between two words, if it is too long.
fn short(name: &str) -> String {
    let name = one_line(name);
    if name.chars().count() <= SHORT {
        return name;
    }
    let cut: String = name.chars().take(SHORT).collect();
    cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words).to_owned()
}

/// Nobody writes a placeholder into a message: it would carry a member's own link.
fn harmless(text: &str) -> String {
    text.replace(LEAVE_PLACEHOLDER, "{ {leave_url} }").replace(UNSUBSCRIBE_PLACEHOLDER, "{ {unsubscribe_url} }")
}

#[cfg(test)]
mod tests {
    use minijinja::HtmlEscape;

    use super::super::letter::tests::{is_clean, is_gsm};
    use super::{
        Announcement, LEAVE_PLACEHOLDER, Language, UNSUBSCRIBE_PLACEHOLDER, announcement_mail, announcement_sms,
        phrase, short,
    };

    const PLAIN: Announcement<'static> = Announcement {
        partnership: "Le Sart",
        zone: "Zone 5306",
        class_urgent: false,
        exercise: false,
        kind: "start",
        title: "Cambriolage",
        body: "Rue Haute.\nUne voiture <script>grise</script>.\n\nRestez {{7*7}} chez vous & fermez.",
        sms_body: "Cambriolage rue Haute.",
        verify_url: "https://vigie.example/v/K7QX2M4P",
    };
    const URGENT: [&str; 4] = ["URGENT", "DRINGEND", "DRINGEND", "URGENT"];
    const EXERCISE: [&str; 4] = ["EXERCICE", "OEFENING", "ÜBUNG", "EXERCISE"];

    fn everywhere(announcement: &Announcement<'_>, check: impl Fn(usize, Language, super::Letter)) {
        for (at, language) in Language::ALL.iter().enumerate() {
            check(at, *language, announcement_mail(*language, announcement));
        }
    }

    #[test]
    fn it_says_what_was_approved_who_answers_for_it_and_what_to_do() {
        for kind in ["start", "update", "end", "feedback", "correction", "prevention", "meeting", "admin", "survey"] {
            everywhere(&Announcement { kind, ..PLAIN }, |_, language, letter| {
                for text in [
                    PLAIN.partnership,
                    PLAIN.zone,
                    PLAIN.title,
                    PLAIN.verify_url,
                    "101",
                    "112",
                    &phrase(language, &format!("kind-{kind}"), &[]),
                ] {
                    assert!(letter.text.contains(text), "{text} not in {}", letter.text);
                    assert!(letter.html.contains(&HtmlEscape(text).to_string()), "{text} not in {}", letter.html);
                }
                assert!(letter.text.contains(PLAIN.body), "{}", letter.text);
                assert!(letter.html.contains("<p>Rue Haute.<br>Une voiture &lt;script&gt;grise"), "{}", letter.html);
                assert!(letter.html.contains("<p>Restez {{7*7}} chez vous &amp; fermez.</p>"), "{}", letter.html);
                assert!(letter.html.contains("<meta charset=\"utf-8\">"));
                is_clean(&letter.subject, false);
                is_clean(&letter.text, false);
                is_clean(&letter.html, true);
            });
        }
    }
    #[test]
    fn the_subject_shows_urgency_and_exercise_and_nothing_else_does() {
        everywhere(&PLAIN, |_, _, letter| assert_eq!(letter.subject, "Cambriolage (Le Sart)"));
        everywhere(&Announcement { class_urgent: true, ..PLAIN }, |at, _, letter| {
            assert!(letter.subject.starts_with(URGENT[at]), "{}", letter.subject);
        });
        everywhere(&Announcement { class_urgent: true, exercise: true, ..PLAIN }, |at, language, letter| {
            let shown = letter.html.split("<body").nth(1).unwrap().split('>').nth(2).unwrap();
            for text in [letter.subject.as_str(), letter.text.as_str(), shown] {
                assert!(text.starts_with(EXERCISE[at]), "{text}");
            }
            assert!(letter.subject.contains(URGENT[at]));
            assert!(announcement_sms(language, &Announcement { exercise: true, ..PLAIN }).starts_with(EXERCISE[at]));
        });
    }
    #[test]
    fn each_recipients_links_have_one_place_and_nobody_can_make_another() {
        let sneaky = "a {{leave_url}} {{unsubscribe_url}} {{leave_{{leave_url}}url}} {{leave_\u{0}url}}\r\nBcc: x";
        let announcement =
            Announcement { partnership: sneaky, zone: sneaky, title: sneaky, body: sneaky, kind: sneaky, ..PLAIN };
        for announcement in [announcement, PLAIN] {
            everywhere(&announcement, |_, _, letter| {
                for placeholder in [LEAVE_PLACEHOLDER, UNSUBSCRIBE_PLACEHOLDER] {
                    assert_eq!(letter.text.matches(placeholder).count(), 1, "{}", letter.text);
                    assert_eq!(letter.html.matches(&format!("href=\"{placeholder}\"")).count(), 1, "{}", letter.html);
                    assert_eq!(letter.html.matches(placeholder).count(), 1, "{}", letter.html);
                    assert!(!letter.subject.contains(placeholder), "{}", letter.subject);
                    assert!(!letter.subject.contains(char::is_control), "{}", letter.subject);
                }
            });
        }
    }
    #[test]
    fn the_short_message_names_the_sender_the_numbers_and_the_check() {
        assert_eq!(
            announcement_sms(Language::Nl, &PLAIN),
            "Le Sart: Cambriolage rue Haute. 101/112 vigie.example/v/K7QX2M4P"
        );
        let lines = announcement_sms(Language::Fr, &Announcement { exercise: true, sms_body: "Un.\nDeux", ..PLAIN });
        assert_eq!(lines, "EXERCICE (rien à faire) Le Sart: Un.\nDeux 101/112 vigie.example/v/K7QX2M4P");
        for language in Language::ALL {
            is_gsm(&announcement_sms(*language, &Announcement { exercise: true, ..PLAIN }));
        }
        assert_eq!(short("Les Jardins de la Basilique et du Parc"), "Les Jardins de la Basilique");
        assert_eq!(short(&"x".repeat(40)), "x".repeat(30));
    }
}
