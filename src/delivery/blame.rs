//! Whose fault a failed delivery is, read from its reason alone. Pure.
//!
//! Only what says that *this address* does not work is held against it. What speaks of us, of our provider or of the text
//! never is: a relay that loses its good name must not cost a partnership its members.

use super::lifecycle::Channel;

crate::words! {
    /// How much a failure says about the address or number.
    pub enum Blame {
        /// It does not exist, or not any more: once is enough.
        Hard = "hard",
        /// It did not work this time: full, switched off, not reached for days.
        Soft = "soft",
    }
}

/// Where a failure was noticed, as the reason of the delivery tells it.
enum Seen<'a> {
    /// Our relay said so when we handed over the recipient.
    AtHandOver(&'a str),
    /// Our relay said so after it had read the whole mail: that may be the text.
    AfterText(&'a str),
    /// A mail came back.
    Returned(&'a str),
    /// The gateway reported.
    Reported,
}
impl<'a> Seen<'a> {
    fn of(reason: &'a str) -> Self {
        if let Some(codes) = reason.strip_prefix("dsn ") {
            return Self::Returned(codes);
        }
        if let Some(codes) = reason.strip_prefix("data: ") {
            return Self::AfterText(codes);
        }
        if reason.starts_with("report ") { Self::Reported } else { Self::AtHandOver(reason) }
    }
}

/// What a delivery that ended as failed or expired says about its address; nothing when the fault may lie elsewhere.
///
/// Enhanced codes (RFC 3463) decide where there are any. A bare 550 to the recipient is what servers without them say of
/// an unknown mailbox; anywhere else a bare code may mean anything.
#[must_use]
pub(super) fn blame(channel: Channel, reason: &str) -> Option<Blame> {
    let (codes, returned, bare) = match Seen::of(reason) {
        // Kannel's reports say "not delivered" or "refused", and not why: a handset that was off, an unknown number, and an
        // account without credit look alike. So never at once, and a single SMS that arrives takes it back.
        Seen::Reported => return (channel == Channel::Sms).then_some(Blame::Soft),
        // What a gateway answers to our request is about our request.
        _ if channel == Channel::Sms => return None,
        Seen::AtHandOver(codes) => (codes, false, Some(Blame::Hard)),
        Seen::AfterText(codes) => (codes, false, None),
        Seen::Returned(codes) => (codes, true, Some(Blame::Soft)),
    };
    match enhanced(codes) {
        Some(status) => by_status(status, returned),
        None => bare.filter(|_| codes == "550"),
    }
}

/// The enhanced status among codes such as `550 5.1.1`. One that says nothing (`5.0.0`) is as good as none.
fn enhanced(codes: &str) -> Option<(u16, u16, u16)> {
    codes.split(' ').filter_map(status).find(|(_, subject, _)| *subject != 0)
}
/// Three numbers, such as `5.1.1`.
pub(super) fn status(word: &str) -> Option<(u16, u16, u16)> {
    let number = |part: Option<&str>| {
        let part =
            part.filter(|part| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        part.parse::<u16>().ok()
    };
    let mut parts = word.split('.');
    let found = (number(parts.next())?, number(parts.next())?, number(parts.next())?);
    (parts.next().is_none() && matches!(found.0, 2 | 4 | 5)).then_some(found)
}
/// The table. `returned`: somebody behind our relay said it; else our relay itself, which at 4.3 and 4.4 speaks of itself.
const fn by_status(status: (u16, u16, u16), returned: bool) -> Option<Blame> {
    match status {
        // Bad mailbox, bad system, syntax, ambiguous, moved, no such mailbox (Exchange: 5.1.10).
        (5, 1, 1 | 2 | 3 | 4 | 6 | 10) => Some(Blame::Hard),
        // 5.1.7 and 5.1.8 are our own address; 5.1.9 a relay that cannot.
        (4 | 5, 1, 7..=9) => None,
        (4 | 5, 1, _) => Some(Blame::Soft),
        // Disabled.
        (5, 2, 1) => Some(Blame::Hard),
        // Longer than the recipient takes: the text.
        (4 | 5, 2, 3) => None,
        (4 | 5, 2, _) => Some(Blame::Soft),
        // Not reached, for days or for good.
        (4 | 5, 4, _) | (4, 3, _) if returned => Some(Blame::Soft),
        // Their system or ours, protocol, content, policy.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Blame, blame, status};
    use crate::delivery::Channel;

    #[test]
    fn only_what_speaks_of_the_address_is_held_against_it() {
        const HARD: Option<Blame> = Some(Blame::Hard);
        const SOFT: Option<Blame> = Some(Blame::Soft);
        let table = [
            // At the hand-over.
            ("550 5.1.1", HARD),
            ("550 5.1.2", HARD),
            ("550 5.1.10", HARD),
            ("550 5.2.1", HARD),
            ("550", HARD),
            ("552 5.2.2", SOFT),
            ("452 4.2.2", SOFT),
            ("450 4.1.1", SOFT),
            ("550 5.1.0", SOFT),
            ("551", None),
            ("552", None),
            ("554", None),
            ("450", None),
            ("451 4.3.0", None),
            ("451 4.4.1", None),
            ("450 4.7.1", None),
            ("550 5.1.7", None),
            ("550 5.1.8", None),
            ("552 5.2.3", None),
            ("550 5.3.4", None),
            ("550 5.4.1", None),
            ("554 5.5.1", None),
            ("554 5.6.0", None),
            ("550 5.7.1", None),
            ("550 5.7.26", None),
            ("sender: 550", None),
            ("sender: 550 5.1.8", None),
            ("credentials: 535 5.7.8", None),
            ("credentials: 535", None),
            ("connect: timeout", None),
            ("validity_over", None),
            ("", None),
            // After the text.
            ("data: 550", None),
            ("data: 554 5.7.1", None),
            ("data: 550 5.1.1", HARD),
            ("data: 552 5.2.2", SOFT),
            // Come back.
            ("dsn 5.1.1", HARD),
            ("dsn 5.2.1", HARD),
            ("dsn 5.2.2", SOFT),
            ("dsn 4.2.2", SOFT),
            ("dsn 4.4.7", SOFT),
            ("dsn 4.3.2", SOFT),
            ("dsn 5.4.1", SOFT),
            ("dsn 5.4.4", SOFT),
            ("dsn 5.4.14", SOFT),
            ("dsn 550", SOFT),
            ("dsn 5.0.0", None),
            ("dsn 4.0.0", None),
            ("dsn 5.3.0", None),
            ("dsn 5.5.0", None),
            ("dsn 5.6.0", None),
            ("dsn 5.7.1", None),
            ("dsn 5.7.509", None),
            ("dsn 4.7.0", None),
            ("dsn none", None),
        ];
        for (reason, wanted) in table {
            assert_eq!(blame(Channel::Email, reason), wanted, "{reason}");
        }
        for (reason, wanted) in [
            ("report 2", SOFT),
            ("report 16", SOFT),
            ("400", None),
            ("403 not routable", None),
            ("3 parts, 2 allowed", None),
            ("550", None),
            ("550 5.1.1", None),
            ("connect: timeout", None),
        ] {
            assert_eq!(blame(Channel::Sms, reason), wanted, "{reason}");
        }
    }
    #[test]
    fn only_three_numbers_are_a_status() {
        assert_eq!(status("5.1.1"), Some((5, 1, 1)));
        for word in ["5.1", "5.1.1.1", "5.1.x", "3.1.1", "5.1.1234", "5..1", "", "550", "+5.1.1"] {
            assert_eq!(status(word), None, "{word}");
        }
    }
}
