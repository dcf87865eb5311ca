//! An SPF record as it is written (RFC 7208): read as a whole, and written anew where it has to be mended. Nothing is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::dns::CouldNotAsk;

/// What the record says about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Pass,
    Fail,
    SoftFail,
    Neutral,
    /// There is no record.
    Nothing,
}
/// Why nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halt {
    /// The record has to be mended.
    Permanent(String),
    /// Try again later.
    Temporary(String),
}
impl From<CouldNotAsk> for Halt {
    fn from(error: CouldNotAsk) -> Self {
        Self::Temporary(error.to_string())
    }
}
pub(super) fn permanent<T>(what: impl Into<String>) -> Result<T, Halt> {
    Err(Halt::Permanent(what.into()))
}

/// One term that may match, and what it then says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) says: Word,
    pub(super) mechanism: Mechanism,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mechanism {
    All,
    Include(String),
    /// Addresses of a name, or of ours, with the lengths of the networks around them.
    A(Option<String>, u8, u8),
    /// Addresses of the mail servers of a name, likewise.
    Mx(Option<String>, u8, u8),
    Ptr(Option<String>),
    Network(IpAddr, u8),
    Exists(String),
}
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) directives: Vec<Directive>,
    pub(super) redirect: Option<String>,
}

/// The texts among these that are SPF records.
pub(super) fn records(texts: Vec<String>) -> Vec<String> {
    let is_record =
        |text: &String| text.split(' ').next().is_some_and(|version| version.eq_ignore_ascii_case("v=spf1"));
    texts.into_iter().filter(is_record).collect()
}
/// Reads a record; every term of it, whether or not it will be reached.
pub(super) fn parse(text: &str) -> Result<Record, Halt> {
    let mut record = Record::default();
    let mut explained = false;
    for term in text.split(' ').skip(1).filter(|term| !term.is_empty()) {
        if let Some((name, value)) = modifier(term) {
            let is_again = match name.to_ascii_lowercase().as_str() {
                "redirect" => record.redirect.replace(value.to_owned()).is_some(),
                "exp" => std::mem::replace(&mut explained, true),
                _ => false,
            };
            if is_again {
                return permanent(format!("`{name}=` stands there twice"));
            }
        } else {
            record.directives.push(directive(term)?);
        }
    }
    Ok(record)
}
/// `name=value`, unless the `=` belongs to the value of a mechanism.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    is_name.then_some((name, value))
}
fn directive(term: &str) -> Result<Directive, Halt> {
    let (says, rest) = match term.split_at_checked(1) {
        Some(("+", rest)) => (Word::Pass, rest),
        Some(("-", rest)) => (Word::Fail, rest),
        Some(("~", rest)) => (Word::SoftFail, rest),
        Some(("?", rest)) => (Word::Neutral, rest),
        _ => (Word::Pass, term),
    };
    let wrong = || Halt::Permanent(format!("`{term}` cannot be read"));
    let at = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, after) = rest.split_at_checked(at).ok_or_else(wrong)?;
    let value = after.strip_prefix(':');
    let needed = || value.filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(wrong);
    let mechanism = match name.to_ascii_lowercase().as_str() {
        "all" if after.is_empty() => Mechanism::All,
        "include" => Mechanism::Include(needed()?),
        "exists" => Mechanism::Exists(needed()?),
        "ptr" if after.is_empty() => Mechanism::Ptr(None),
        "ptr" => Mechanism::Ptr(Some(needed()?)),
        "ip4" => {
            let (address, length) = network::<Ipv4Addr>(&needed()?, 32).ok_or_else(wrong)?;
            Mechanism::Network(IpAddr::V4(address), length)
        }
        "ip6" => {
            let (address, length) = network::<Ipv6Addr>(&needed()?, 128).ok_or_else(wrong)?;
            Mechanism::Network(IpAddr::V6(address), length)
        }
        "a" | "mx" => {
            let (domain, four, six) = with_lengths(after).ok_or_else(wrong)?;
            if name.eq_ignore_ascii_case("a") {
                Mechanism::A(domain, four, six)
            } else {
                Mechanism::Mx(domain, four, six)
            }
        }
        _ => return Err(wrong()),
    };
    Ok(Directive { says, mechanism })
}
fn length(text: &str, most: u8) -> Option<u8> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|length| is_plain && *length <= most)
}
fn network<A: std::str::FromStr>(text: &str, most: u8) -> Option<(A, u8)> {
    match text.split_once('/') {
        None => Some((text.parse().ok()?, most)),
        Some((address, bits)) => Some((address.parse().ok()?, length(bits, most)?)),
    }
}
/// `:domain/24//64`, of which each part may be missing.
fn with_lengths(text: &str) -> Option<(Option<String>, u8, u8)> {
    let (rest, six) = match text.rsplit_once("//") {
        Some((rest, six)) => (rest, length(six, 128)?),
        None => (text, 128),
    };
    // A slash inside braces is a delimiter of a macro.
    let slash = rest.rfind('/').filter(|at| !rest.get(*at..).is_some_and(|after| after.contains('}')));
    let (rest, four) = match slash.and_then(|at| rest.split_at_checked(at)) {
        Some((rest, four)) => (rest, length(four.trim_start_matches('/'), 32)?),
        None => (rest, 32),
    };
    match rest.strip_prefix(':') {
        Some("") => None,
        Some(domain) => Some((Some(domain.to_owned()), four, six)),
        None => rest.is_empty().then_some((None, four, six)),
    }
}

fn is_all(term: &str) -> bool {
    // One qualifier at most: `--all` is none.
    term.strip_prefix(['+', '-', '~', '?']).unwrap_or(term).eq_ignore_ascii_case("all")
}
/// The terms of a record that count: of the mechanisms, those up to the first `all` (RFC 7208, 5.1); the modifiers, wherever
/// they stand.
fn counted(record: &str) -> Vec<&str> {
    let mut is_over = false;
    let mut counts = |term: &&str| {
        let counts = !is_over || modifier(term).is_some();
        is_over |= is_all(term);
        counts
    };
    record.split(' ').skip(1).filter(|term| !term.is_empty()).filter(|term| counts(term)).collect()
}
/// One record instead of several: each says what it says before its own `all`.
pub(super) fn merged(records: &[String]) -> String {
    let terms: Vec<&str> = records.iter().flat_map(|record| counted(record)).collect();
    let (ends, others): (Vec<&str>, Vec<&str>) = terms.into_iter().partition(|term| is_all(term));
    let whole: Vec<&str> = std::iter::once("v=spf1").chain(others).chain(ends).collect();
    mended(Some(&whole.join(" ")), &[])
}

/// The record that would be right: what is there, with these addresses, refusing everybody else. Who is let in by it is let in
/// by what is there: beside an `all` no `redirect=` is ever followed, and a second one would break the record.
pub(super) fn mended(record: Option<&str>, missing: &[IpAddr]) -> String {
    let mut terms: Vec<String> = vec!["v=spf1".to_owned()];
    terms.extend(missing.iter().map(|address| match address {
        IpAddr::V4(address) => format!("ip4:{address}"),
        IpAddr::V6(address) => format!("ip6:{address}"),
    }));
    let present = counted(record.unwrap_or_default());
    let is_redirect = |term: &&str| modifier(term).is_some_and(|(name, _)| name.eq_ignore_ascii_case("redirect"));
    let redirect = present.iter().find(|term| is_redirect(term)).filter(|_| !present.iter().any(|term| is_all(term)));
    terms.extend(present.iter().filter(|term| !is_all(term) && !is_redirect(term)).map(|term| (*term).to_owned()));
    terms.push(redirect.map_or("-all", |redirect| redirect).to_owned());
    terms.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is to be published lets nobody in whom the record there refuses.
    #[test]
    fn a_mended_record_is_never_looser() {
        let ours = [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10))];
        for (record, right) in [
            ("v=spf1 a ~all", "v=spf1 ip4:192.0.2.10 a -all"),
            ("v=spf1 a", "v=spf1 ip4:192.0.2.10 a -all"),
            ("v=spf1 redirect=_spf.x.be", "v=spf1 ip4:192.0.2.10 redirect=_spf.x.be"),
            ("v=spf1 Redirect=_spf.x.be a", "v=spf1 ip4:192.0.2.10 a Redirect=_spf.x.be"),
            // Nobody follows it: the strangers of x.be are not to be let in.
            ("v=spf1 -all redirect=_spf.x.be", "v=spf1 ip4:192.0.2.10 -all"),
            ("v=spf1 redirect=_spf.x.be ~ALL", "v=spf1 ip4:192.0.2.10 -all"),
            // Nobody reads on after `all`: the mailer is not to be let in now. A modifier counts wherever it stands.
            ("v=spf1 a ~all include:mailer.example", "v=spf1 ip4:192.0.2.10 a -all"),
            ("v=spf1 a -ALL mx ~all include:mailer.example exp=why.x.be", "v=spf1 ip4:192.0.2.10 a exp=why.x.be -all"),
            // As two records look when they are put together.
            ("v=spf1 redirect=_spf.x.be a redirect=_spf.y.be", "v=spf1 ip4:192.0.2.10 a redirect=_spf.x.be"),
        ] {
            let mended = mended(Some(record), &ours);
            assert_eq!(mended, right, "{record}");
            assert!(parse(&mended).is_ok());
        }
    }
    /// What stands after the `all` of one record was meant by nobody; the terms of the other are.
    #[test]
    fn of_several_records_each_ends_at_its_own_all() {
        for (records, right) in [
            (["v=spf1 a -all", "v=spf1 include:mailer.example ~all"], "v=spf1 a include:mailer.example -all"),
            (["v=spf1 a ~all include:stray.example", "v=spf1 mx -all"], "v=spf1 a mx -all"),
            (["v=spf1 a", "v=spf1 redirect=_spf.x.be"], "v=spf1 a redirect=_spf.x.be"),
            (["v=spf1 redirect=_spf.x.be", "v=spf1 a -all"], "v=spf1 a -all"),
        ] {
            let merged = merged(&records.map(str::to_owned));
            assert_eq!(merged, right, "{records:?}");
            assert!(parse(&merged).is_ok());
        }
    }
}
