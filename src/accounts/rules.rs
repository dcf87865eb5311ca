//! What a chosen password must be (ASVS 5.0, 6.2.1, 6.2.4, 6.2.11): long or hard to guess, and not about its owner. No rule
//! about kinds of characters, and no end of validity.

use zxcvbn::Score;

use crate::values::EmailAddress;
use crate::values::PersonName;

/// So many characters are enough, unless they are a well-known row of them.
const LONG: usize = 12;
/// Shorter parts of a name are found in too many words by chance.
const PART_MIN: usize = 3;

/// A password and whose it is to be.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    pub(super) password: &'a str,
    pub(super) email: Option<&'a EmailAddress>,
    pub(super) name: Option<&'a PersonName>,
}
impl Choice<'_> {
    /// What everybody who knows the owner would try first.
    fn about_the_owner(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if let Some(email) = self.email {
            parts.push(email.for_index());
            parts.extend(email.for_index().split_once('@').map(|(user, _)| user.to_owned()));
        }
        if let Some(name) = self.name {
            parts.push(name.given.as_str().to_lowercase());
            parts.push(name.family.as_str().to_lowercase());
        }
        parts
    }
    fn score(&self) -> Score {
        let parts = self.about_the_owner();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        zxcvbn::zxcvbn(self.password, &parts).score()
    }
}

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It holds the owner's name or address.
    AboutItsOwner,
    /// It is among those that are tried first.
    TriedFirst,
    /// It is short, and not hard enough to guess to make up for it.
    ShortAndEasy,
}
impl Refusal {
    /// Every refusal.
    #[cfg(test)]
    const ALL: &'static [Self] = &[Self::AboutItsOwner, Self::TriedFirst, Self::ShortAndEasy];
    /// A fixed word for programs.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::AboutItsOwner => "password_about_owner",
            Self::TriedFirst => "password_tried_first",
            Self::ShortAndEasy => "password_weak",
        }
    }
    /// What to do.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::AboutItsOwner => "leave your name and your e-mail address out of it",
            Self::TriedFirst => {
                "this one is among the first that would be tried; take several words that have nothing to do with each other"
            }
            Self::ShortAndEasy => {
                "take at least 12 characters, for example several words that have nothing to do with each other"
            }
        }
    }
}

type Rule = fn(&Choice<'_>) -> Result<(), Refusal>;
/// Every rule, in the order in which they are asked.
const PASSWORD: &[Rule] = &[not_about_its_owner, not_tried_first, long_or_hard];

fn not_about_its_owner(choice: &Choice<'_>) -> Result<(), Refusal> {
    let password = choice.password.to_lowercase();
    let found = choice.about_the_owner().iter().any(|part| part.chars().count() >= PART_MIN && password.contains(part));
    if found { Err(Refusal::AboutItsOwner) } else { Ok(()) }
}
fn not_tried_first(choice: &Choice<'_>) -> Result<(), Refusal> {
    if choice.score() < Score::Two { Err(Refusal::TriedFirst) } else { Ok(()) }
}
fn long_or_hard(choice: &Choice<'_>) -> Result<(), Refusal> {
    let long = choice.password.chars().count() >= LONG;
    if long || choice.score() >= Score::Three { Ok(()) } else { Err(Refusal::ShortAndEasy) }
}

/// May this be the password?
pub(super) fn may_be_chosen(choice: &Choice<'_>) -> Result<(), Refusal> {
    PASSWORD.iter().try_for_each(|rule| rule(choice))
}

#[cfg(test)]
mod tests {
    use super::{Choice, PASSWORD, Refusal, may_be_chosen};
    use crate::values::{EmailAddress, PersonName};

    #[test]
    fn passwords_are_long_or_hard_and_not_about_their_owner() {
        let email = EmailAddress::parse("an.peeters@post.example").unwrap();
        let name = PersonName::parse("An", "Peeters").unwrap();
        for (password, expected) in [
            ("correct horse battery staple", Ok(())),
            ("zeven groene fietsen", Ok(())),
            ("kV7#qRw9z!", Ok(())),
            ("an.peeters@post.example 77", Err(Refusal::AboutItsOwner)),
            ("de kat van PEETERS slaapt", Err(Refusal::AboutItsOwner)),
            ("banana tractor lamp 9", Ok(())),
            ("password1234", Err(Refusal::TriedFirst)),
            ("aaaaaaaaaaaaaaaa", Err(Refusal::TriedFirst)),
            ("azerty", Err(Refusal::TriedFirst)),
            ("k9Wz4rt", Err(Refusal::ShortAndEasy)),
        ] {
            let choice = Choice { password, email: Some(&email), name: Some(&name) };
            assert_eq!(may_be_chosen(&choice), expected, "{password}");
        }
    }
    #[test]
    fn each_rule_has_one_refusal() {
        assert_eq!(PASSWORD.len(), Refusal::ALL.len());
    }
}
