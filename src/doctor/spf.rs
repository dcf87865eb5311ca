//! SPF as a receiving server reads it (RFC 7208): may this address send for this domain? The reading of a record is pure;
//! the walk through it asks the DNS as it goes, with the limits of the RFC.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use futures_util::future::BoxFuture;

use super::dns::{CouldNotAsk, Resolver};
use super::finding::{CheckName, Finding};
use super::subject::Subject;

/// Terms that ask the DNS, at most (RFC 7208, 4.6.4).
const LOOKUPS: usize = 10;
/// Of these, how many may find nothing.
const VOID_LOOKUPS: usize = 2;
/// Nobody sends from these (RFC 5737, RFC 3849): what a record says about them it says about everybody.
const STRANGERS: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(203, 0, 113, 77)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x77))];

/// What the record says about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Pass,
    Fail,
    SoftFail,
    Neutral,
    /// There is no record.
    Nothing,
}
/// Why nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Halt {
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
fn permanent<T>(what: impl Into<String>) -> Result<T, Halt> {
    Err(Halt::Permanent(what.into()))
}

/// One term that may match, and what it then says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Directive {
    says: Word,
    mechanism: Mechanism,
}
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mechanism {
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
struct Record {
    directives: Vec<Directive>,
    redirect: Option<String>,
}

/// The texts among these that are SPF records.
fn records(texts: Vec<String>) -> Vec<String> {
    let is_record =
        |text: &String| text.split(' ').next().is_some_and(|version| version.eq_ignore_ascii_case("v=spf1"));
    texts.into_iter().filter(is_record).collect()
}
/// Reads a record; every term of it, whether or not it will be reached.
fn parse(text: &str) -> Result<Record, Halt> {
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

/// Do two addresses share the first bits?
fn shares(a: IpAddr, b: IpAddr, length: u8) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let apart = a.to_bits() ^ b.to_bits();
            apart.checked_shr(32_u32.saturating_sub(length.into())).unwrap_or(0) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let apart = a.to_bits() ^ b.to_bits();
            apart.checked_shr(128_u32.saturating_sub(length.into())).unwrap_or(0) == 0
        }
        _ => false,
    }
}
fn around(address: IpAddr, found: IpAddr, four: u8, six: u8) -> bool {
    shares(address, found, if address.is_ipv4() { four } else { six })
}

/// One walk: for one address of one sender.
struct Walk<'r> {
    resolver: &'r dyn Resolver,
    address: IpAddr,
    sender: &'r str,
    lookups: usize,
    voids: usize,
}
impl<'r> Walk<'r> {
    fn new(resolver: &'r dyn Resolver, address: IpAddr, sender: &'r str) -> Self {
        Self { resolver, address, sender, lookups: 0, voids: 0 }
    }
    fn look(&mut self) -> Result<(), Halt> {
        self.lookups += 1;
        if self.lookups > LOOKUPS {
            return permanent(format!("it needs more than {LOOKUPS} lookups"));
        }
        Ok(())
    }
    fn note<T>(&mut self, found: Vec<T>) -> Result<Vec<T>, Halt> {
        self.voids += usize::from(found.is_empty());
        if self.voids > VOID_LOOKUPS {
            return permanent(format!("more than {VOID_LOOKUPS} of its lookups find nothing"));
        }
        Ok(found)
    }
    /// What the record of a domain says.
    fn check(&mut self, domain: String) -> BoxFuture<'_, Result<Word, Halt>> {
        Box::pin(async move {
            let found = records(self.resolver.txt(&domain).await?);
            let record = match found.as_slice() {
                [] => return Ok(Word::Nothing),
                [record] => parse(record)?,
                _ => return permanent(format!("{domain} has more than one SPF record")),
            };
            for directive in record.directives {
                if self.matches(&directive.mechanism, &domain).await? {
                    return Ok(directive.says);
                }
            }
            let Some(redirect) = record.redirect else { return Ok(Word::Neutral) };
            self.look()?;
            let target = self.expand(&redirect, &domain)?;
            match self.check(target.clone()).await? {
                Word::Nothing => permanent(format!("redirect leads to {target}, which has no SPF record")),
                word => Ok(word),
            }
        })
    }
    async fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Result<bool, Halt> {
        let named = |walk: &Self, name: &Option<String>| match name {
            Some(name) => walk.expand(name, domain),
            None => Ok(domain.to_owned()),
        };
        if !matches!(mechanism, Mechanism::All | Mechanism::Network(..)) {
            self.look()?;
        }
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Network(network, length) => Ok(shares(self.address, *network, *length)),
            Mechanism::Include(name) => {
                let target = self.expand(name, domain)?;
                match self.check(target.clone()).await? {
                    Word::Nothing => permanent(format!("it includes {target}, which has no SPF record")),
                    word => Ok(word == Word::Pass),
                }
            }
            Mechanism::A(name, four, six) => {
                let found = self.resolver.addresses(&named(self, name)?, self.address).await?;
                let found = self.note(found)?;
                Ok(found.into_iter().any(|found| around(self.address, found, *four, *six)))
            }
            Mechanism::Mx(name, four, six) => {
                let hosts = self.resolver.mx(&named(self, name)?).await?;
                let hosts = self.note(hosts)?;
                if hosts.len() > LOOKUPS {
                    return permanent(format!("`mx` leads to more than {LOOKUPS} mail servers"));
                }
                for host in hosts {
                    let found = self.resolver.addresses(&host, self.address).await?;
                    if found.into_iter().any(|found| around(self.address, found, *four, *six)) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Mechanism::Exists(name) => {
                // An A record, whatever the family of the address (RFC 7208, 5.7).
                let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
                let found = self.resolver.addresses(&self.expand(name, domain)?, any).await?;
                Ok(!self.note(found)?.is_empty())
            }
            Mechanism::Ptr(name) => {
                let wanted = named(self, name)?.to_ascii_lowercase();
                // A name that cannot be asked does not match (RFC 7208, 5.5).
                let hosts = self.resolver.ptr(self.address).await.unwrap_or_default();
                for host in self.note(hosts)?.into_iter().take(LOOKUPS) {
                    let found = self.resolver.addresses(&host, self.address).await.unwrap_or_default();
                    let host = host.trim_end_matches('.').to_ascii_lowercase();
                    let is_below = host == wanted || host.ends_with(&format!(".{wanted}"));
                    if is_below && found.contains(&self.address) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
    /// A name with its macros filled in (RFC 7208, 7).
    fn expand(&self, spec: &str, domain: &str) -> Result<String, Halt> {
        let wrong = || Halt::Permanent(format!("`{spec}` holds a macro that cannot be read"));
        let (mut filled, mut rest) = (String::new(), spec);
        while let Some((before, after)) = rest.split_once('%') {
            filled.push_str(before);
            let (letter, after) = after.split_at_checked(1).ok_or_else(wrong)?;
            rest = match letter {
                "%" => {
                    filled.push('%');
                    after
                }
                "_" => {
                    filled.push(' ');
                    after
                }
                "-" => {
                    filled.push_str("%20");
                    after
                }
                "{" => {
                    let (inside, after) = after.split_once('}').ok_or_else(wrong)?;
                    filled.push_str(&self.macro_value(inside, domain).ok_or_else(wrong)?);
                    after
                }
                _ => return Err(wrong()),
            };
        }
        filled.push_str(rest);
        let mut name = filled.trim_end_matches('.');
        while name.len() > 253 {
            name = name.split_once('.').map(|(_, shorter)| shorter).ok_or_else(wrong)?;
        }
        Ok(name.to_owned())
    }
    fn macro_value(&self, inside: &str, domain: &str) -> Option<String> {
        let (letter, transformers) = inside.split_at_checked(1)?;
        let (local, of) = self.sender.rsplit_once('@').unwrap_or(("postmaster", self.sender));
        let value = match letter.to_ascii_lowercase().as_str() {
            "s" => self.sender.to_owned(),
            "l" => local.to_owned(),
            // What the relay says in HELO is not known here; the sender's domain stands for it.
            "o" | "h" => of.to_owned(),
            "d" => domain.to_owned(),
            "p" => "unknown".to_owned(),
            "v" => if self.address.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            "i" => match self.address {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => {
                    let digits: Vec<String> = format!("{:032x}", address.to_bits()).chars().map(String::from).collect();
                    digits.join(".")
                }
            },
            _ => return None,
        };
        let digits = transformers.len() - transformers.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (keep, delimiters) = transformers.split_at_checked(digits)?;
        let (reversed, delimiters) = match delimiters.strip_prefix(['r', 'R']) {
            Some(rest) => (true, rest),
            None => (false, delimiters),
        };
        if !delimiters.chars().all(|c| ".-+,/_=".contains(c)) {
            return None;
        }
        let cuts = if delimiters.is_empty() { "." } else { delimiters };
        let mut parts: VecDeque<&str> = value.split(|c| cuts.contains(c)).collect();
        if reversed {
            parts.make_contiguous().reverse();
        }
        if !keep.is_empty() {
            let keep = keep.parse::<usize>().ok().filter(|keep| *keep > 0)?;
            while parts.len() > keep {
                parts.pop_front();
            }
        }
        Some(Vec::from(parts).join("."))
    }
}

/// The record that would be right: what is there, with these addresses, refusing everybody else.
fn mended(record: Option<&str>, missing: &[IpAddr]) -> String {
    let mut terms: Vec<String> = vec!["v=spf1".to_owned()];
    terms.extend(missing.iter().map(|address| match address {
        IpAddr::V4(address) => format!("ip4:{address}"),
        IpAddr::V6(address) => format!("ip6:{address}"),
    }));
    let kept = record.unwrap_or_default().split(' ').skip(1).filter(|term| !term.is_empty());
    let is_all = |term: &str| term.trim_start_matches(['+', '-', '~', '?']).eq_ignore_ascii_case("all");
    terms.extend(kept.filter(|term| !is_all(term)).map(str::to_owned));
    if !terms.iter().any(|term| term.to_ascii_lowercase().starts_with("redirect=")) {
        terms.push("-all".to_owned());
    }
    terms.join(" ")
}

/// May the relay send for the domain of the envelope, and may nobody else?
pub(super) async fn examine(resolver: &dyn Resolver, subject: &Subject) -> Vec<Finding> {
    let domain = subject.envelope_domain();
    let found = match resolver.txt(&domain).await {
        Ok(texts) => records(texts),
        Err(error) => return vec![Finding::unknown(CheckName::Spf, &domain, error)],
    };
    let record = match found.as_slice() {
        [record] => record.as_str(),
        [] => {
            let finding = Finding::fail(CheckName::Spf, format!("{domain} has no SPF record"), "publish this one");
            return vec![finding.publishing(&domain, &mended(None, &subject.addresses))];
        }
        several => {
            let found = format!("{domain} has {} SPF records, so none of them counts", several.len());
            let next = "leave one, with the terms of all";
            let whole = several.iter().flat_map(|record| record.split(' ').skip(1)).collect::<Vec<_>>().join(" ");
            let one = mended(Some(&format!("v=spf1 {whole}")), &[]);
            return vec![Finding::fail(CheckName::Spf, found, next).publishing(&domain, &one)];
        }
    };
    let mut findings = Vec::new();
    if subject.addresses.is_empty() {
        findings.push(Finding::fail(
            CheckName::Spf,
            "nobody said from which addresses the relay sends",
            "name them in the setting email.sending_addresses",
        ));
    }
    let mut left_out = Vec::new();
    for address in &subject.addresses {
        match Walk::new(resolver, *address, &subject.envelope).check(domain.clone()).await {
            Ok(Word::Pass) => findings.push(Finding::pass(CheckName::Spf, format!("{address} may send for {domain}"))),
            Ok(_) => left_out.push(*address),
            Err(halt) => return vec![halted(halt, &domain)],
        }
    }
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(IpAddr::to_string).collect();
        let finding = Finding::fail(
            CheckName::Spf,
            format!("{domain} does not let {} send for it: {record}", names.join(", ")),
            "publish this record, or mend email.sending_addresses",
        );
        findings.push(finding.publishing(&domain, &mended(Some(record), &left_out)));
    }
    // Nothing to publish where the fault stands in a term, or in the record that this one leads to.
    let ending = |finding: Finding| match mended(Some(record), &left_out) {
        same if same == record => finding,
        other => finding.publishing(&domain, &other),
    };
    findings.push(match about_strangers(resolver, subject, &domain).await {
        Ok(Word::Pass | Word::Neutral | Word::Nothing) => ending(Finding::fail(
            CheckName::Spf,
            format!("{domain} lets anybody send for it, or says nothing about them: {record}"),
            "end the record in -all, and every record that it redirects to; take out what lets everybody in",
        )),
        Ok(Word::SoftFail) => ending(Finding::warn(
            CheckName::Spf,
            format!("{domain} only doubts mail of strangers (~all)"),
            "end the record in -all, and every record that it redirects to, when nothing of yours is missing in it",
        )),
        Ok(Word::Fail) => Finding::pass(CheckName::Spf, format!("{domain} refuses everybody else")),
        Err(halt) => halted(halt, &domain),
    });
    findings
}
/// What the record says about everybody else: the mildest word. As a stranger goes through the whole record, this walk also
/// finds what is wrong at its end.
async fn about_strangers(resolver: &dyn Resolver, subject: &Subject, domain: &str) -> Result<Word, Halt> {
    let mildness = |word: &Word| match word {
        Word::Fail => 0,
        Word::SoftFail => 1,
        Word::Neutral | Word::Nothing => 2,
        Word::Pass => 3,
    };
    let is_ours = |stranger: IpAddr| subject.addresses.iter().any(|ours| ours.is_ipv4() == stranger.is_ipv4());
    let mut mildest = Word::Fail;
    for stranger in STRANGERS {
        let word = match Walk::new(resolver, stranger, &subject.envelope).check(domain.to_owned()).await {
            // Names without an AAAA record count as lookups that find nothing, and an error lets nobody in. Where we do not
            // send by IPv6 (or IPv4) that is no fault; what is wrong for every family is found by the other stranger.
            Err(Halt::Permanent(_)) if !subject.addresses.is_empty() && !is_ours(stranger) => continue,
            word => word?,
        };
        if mildness(&word) > mildness(&mildest) {
            mildest = word;
        }
    }
    Ok(mildest)
}
fn halted(halt: Halt, domain: &str) -> Finding {
    match halt {
        Halt::Permanent(what) => Finding::fail(
            CheckName::Spf,
            format!("the SPF record of {domain} does not work: {what}"),
            "mend the record; networks (ip4:, ip6:) instead of include: save lookups",
        ),
        Halt::Temporary(reason) => Finding::unknown(CheckName::Spf, domain, reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Outcome;
    use crate::doctor::zone::{Zone, good, subject};

    const OURS: &str = "192.0.2.10";

    async fn says(zone: &Zone, address: &str) -> Result<Word, Halt> {
        Walk::new(zone, address.parse().unwrap(), "alert@plp.mons.be").check("plp.mons.be".to_owned()).await
    }
    fn with(record: &str) -> Zone {
        Zone::default().txt("plp.mons.be", record)
    }
    fn is_permanent(word: &Result<Word, Halt>, about: &str) -> bool {
        matches!(word, Err(Halt::Permanent(what)) if what.contains(about))
    }

    #[tokio::test]
    async fn a_record_says_who_may_send() {
        let zone = |record: &str| {
            with(record)
                .a("plp.mons.be", "192.0.2.9")
                .a("relay.mons.be", OURS)
                .a("relay.mons.be", "2001:db8:1::10")
                .mx("plp.mons.be", "relay.mons.be")
                .mx("else.be", "nowhere.be")
                .txt("_spf.mons.be", "v=spf1 ip4:192.0.2.0/24 ~all")
                .txt("_strict.mons.be", "v=spf1 -all")
                .a("10.2.0.192.in-addr._spf.plp.mons.be", "127.0.0.2")
                .a("alert.plp.mons.be", "127.0.0.2")
                .ptr(OURS, "relay.mons.be")
        };
        use Word::{Fail, Neutral, Pass, SoftFail};
        let table = [
            ("v=spf1 ip4:192.0.2.10 -all", OURS, Pass),
            ("V=SPF1 IP4:192.0.2.10 -ALL", OURS, Pass),
            ("v=spf1 ip4:192.0.2.10 -all", "192.0.2.11", Fail),
            ("v=spf1 ip4:192.0.2.8/30 ~all", "192.0.2.11", Pass),
            ("v=spf1 ip4:192.0.2.8/30 ~all", "192.0.2.12", SoftFail),
            ("v=spf1 ip4:0.0.0.0/0", "203.0.113.77", Pass),
            ("v=spf1 ip6:2001:db8:1::/48 -all", "2001:db8:1::10", Pass),
            ("v=spf1 ip6:2001:db8:1::/48 -all", "2001:db8:2::10", Fail),
            ("v=spf1 ip6:2001:db8:1::/48 -all", OURS, Fail),
            ("v=spf1", OURS, Neutral),
            ("v=spf1 ?all", OURS, Neutral),
            ("v=spf1 +all", OURS, Pass),
            ("v=spf1 all", OURS, Pass),
            ("v=spf1 -ip4:192.0.2.10 +all", OURS, Fail),
            ("v=spf1 a -all", OURS, Fail),
            ("v=spf1 a/30 -all", OURS, Pass),
            ("v=spf1 a:relay.mons.be -all", OURS, Pass),
            ("v=spf1 a:relay.mons.be//64 -all", "2001:db8:1::99", Pass),
            ("v=spf1 a:relay.mons.be/24//64 -all", "192.0.2.99", Pass),
            ("v=spf1 mx -all", OURS, Pass),
            ("v=spf1 mx:else.be -all", OURS, Fail),
            ("v=spf1 include:_spf.mons.be -all", OURS, Pass),
            ("v=spf1 include:_spf.mons.be -all", "198.51.100.1", Fail),
            ("v=spf1 include:_strict.mons.be ~all", OURS, SoftFail),
            ("v=spf1 redirect=_spf.mons.be", OURS, Pass),
            ("v=spf1 redirect=_spf.mons.be", "198.51.100.1", SoftFail),
            ("v=spf1 -all redirect=_spf.mons.be", OURS, Fail),
            ("v=spf1 exists:%{ir}.%{v}._spf.%{d} -all", OURS, Pass),
            ("v=spf1 exists:%{ir}.%{v}._spf.%{d} -all", "192.0.2.11", Fail),
            ("v=spf1 exists:%{l}.%{o} -all", OURS, Pass),
            ("v=spf1 ptr:mons.be -all", OURS, Pass),
            ("v=spf1 ptr -all", OURS, Fail),
            ("v=spf1 unknown=modifier exp=why.mons.be -all", OURS, Fail),
        ];
        for (record, address, wanted) in table {
            assert_eq!(says(&zone(record), address).await, Ok(wanted), "{record} {address}");
        }
    }
    #[tokio::test]
    async fn a_record_that_does_not_work_says_why() {
        let table = [
            ("v=spf1 ipv4:192.0.2.10 -all", "`ipv4:192.0.2.10`"),
            ("v=spf1 ip4:192.0.2.300 -all", "cannot be read"),
            ("v=spf1 ip4:192.0.2.0/33 -all", "cannot be read"),
            ("v=spf1 ip4:192.0.2.0/+4 -all", "cannot be read"),
            ("v=spf1 ip4: -all", "cannot be read"),
            ("v=spf1 all:x", "cannot be read"),
            ("v=spf1 include -all", "cannot be read"),
            ("v=spf1 a:/24 -all", "cannot be read"),
            ("v=spf1 +", "cannot be read"),
            ("v=spf1 exists:%{x} -all", "macro"),
            ("v=spf1 exists:%{d0} -all", "macro"),
            ("v=spf1 exists:%{d -all", "macro"),
            ("v=spf1 redirect=a.be redirect=b.be", "twice"),
            ("v=spf1 include:nothing.be -all", "includes nothing.be"),
            ("v=spf1 redirect=nothing.be", "redirect leads to nothing.be"),
            ("v=spf1 include:plp.mons.be -all", "more than 10 lookups"),
            ("v=spf1 redirect=plp.mons.be", "more than 10 lookups"),
            ("v=spf1 a:one.be a:two.be a:three.be -all", "find nothing"),
        ];
        for (record, about) in table {
            let said = says(&with(record), OURS).await;
            assert!(is_permanent(&said, about), "{record}: {said:?}");
        }
    }
    #[tokio::test]
    async fn ten_lookups_are_allowed_and_eleven_are_not() {
        for (count, is_good) in [(10, true), (11, false)] {
            let includes: Vec<String> = (0..count).map(|number| format!("include:s{number}.be")).collect();
            let mut zone = with(&format!("v=spf1 {} -all", includes.join(" ")));
            for number in 0..count {
                zone = zone.txt(&format!("s{number}.be"), "v=spf1 ip4:198.51.100.1 -all");
            }
            let said = says(&zone, OURS).await;
            assert_eq!(said == Ok(Word::Fail), is_good, "{count}: {said:?}");
            assert_eq!(is_permanent(&said, "more than 10 lookups"), !is_good, "{count}: {said:?}");
        }
        // Two that include each other come to the same end.
        let loops = with("v=spf1 include:a.be -all").txt("a.be", "v=spf1 include:plp.mons.be -all");
        assert!(is_permanent(&says(&loops, OURS).await, "more than 10 lookups"));
    }
    #[tokio::test]
    async fn the_macros_of_the_rfc() {
        let zone = Zone::default();
        let walk = Walk::new(&zone, "192.0.2.3".parse().unwrap(), "strong-bad@email.example.com");
        let six = Walk::new(&zone, "2001:db8::cb01".parse().unwrap(), "strong-bad@email.example.com");
        // RFC 7208, 7.4.
        let table = [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{o}", "email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l-}", "strong.bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("a%%b%-c.be", "a%b%20c.be"),
        ];
        for (spec, wanted) in table {
            assert_eq!(walk.expand(spec, "email.example.com"), Ok(wanted.to_owned()), "{spec}");
        }
        let wanted = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com";
        assert_eq!(six.expand("%{ir}.%{v}._spf.%{d2}", "email.example.com"), Ok(wanted.to_owned()));
        let long = walk.expand(&"abcdefghi.".repeat(30), "x").unwrap();
        assert!(long.len() <= 253 && long.starts_with("abcdefghi."), "{long}");
    }

    /// accept M19
    #[tokio::test]
    async fn each_fault_has_its_finding_and_its_record() {
        let bare = good().no_txt("plp.mons.be");
        let with = |record: &str| bare.clone().txt("plp.mons.be", record);
        let all = "ip4:192.0.2.10 ip6:2001:db8:1::10";
        let right = "plp.mons.be. IN TXT \"v=spf1 ip4:192.0.2.10 ip6:2001:db8:1::10 -all\"";
        let table = [
            (good(), Outcome::Pass, "refuses everybody else", None),
            (bare.clone(), Outcome::Fail, "has no SPF record", Some(right)),
            (
                with(&format!("v=spf1 {all} -all")).txt("plp.mons.be", "v=spf1 a -all"),
                Outcome::Fail,
                "2 SPF records",
                Some("plp.mons.be. IN TXT \"v=spf1 ip4:192.0.2.10 ip6:2001:db8:1::10 a -all\""),
            ),
            (with(&format!("v=spf1 {all} +all")), Outcome::Fail, "lets anybody", Some(right)),
            (with(&format!("v=spf1 {all} ?all")), Outcome::Fail, "lets anybody", Some(right)),
            (with(&format!("v=spf1 {all}")), Outcome::Fail, "lets anybody", Some(right)),
            (with(&format!("v=spf1 {all} ip4:0.0.0.0/0 -all")), Outcome::Fail, "lets anybody", None),
            (with(&format!("v=spf1 {all} ~all")), Outcome::Warn, "only doubts", Some(right)),
            (with("v=spf1 ip4:192.0.2.10 -all"), Outcome::Fail, "does not let 2001:db8:1::10 send", None),
            (with("v=spf1 -all"), Outcome::Fail, "does not let 192.0.2.10, 2001:db8:1::10 send", Some(right)),
            (with(&format!("v=spf1 {all} include:gone.be -all")), Outcome::Fail, "includes gone.be", None),
            (good().sick("plp.mons.be"), Outcome::Unknown, "SERVFAIL", None),
            (with(&format!("v=spf1 {all} include:ill.be -all")).sick("ill.be"), Outcome::Unknown, "SERVFAIL", None),
        ];
        for (zone, worst, about, publish) in table {
            let findings = examine(&zone, &subject()).await;
            let found = findings.iter().find(|finding| finding.found.contains(about));
            let found = found.unwrap_or_else(|| panic!("no {about:?} in {findings:#?}"));
            assert_eq!(findings.iter().map(|finding| finding.outcome).max(), Some(worst), "{findings:#?}");
            if let Some(publish) = publish {
                assert_eq!(found.publish.as_deref(), Some(publish), "{about}");
            }
        }
        // Nothing to paste where pasting would change nothing.
        let led = with("v=spf1 redirect=_spf.mons.be").txt("_spf.mons.be", &format!("v=spf1 {all} ~all"));
        let findings = examine(&led, &subject()).await;
        let doubts = findings.last().unwrap();
        assert_eq!((doubts.outcome, &doubts.publish), (Outcome::Warn, &None), "{findings:#?}");
        let nobody = Subject { addresses: Vec::new(), ..subject() };
        let findings = examine(&good(), &nobody).await;
        assert!(findings[0].next.as_ref().unwrap().contains("email.sending_addresses"), "{findings:#?}");
    }
    /// Names of hosts without IPv6 are what most records consist of.
    #[tokio::test]
    async fn hosts_without_ipv6_are_no_fault_of_who_sends_by_ipv4() {
        let record = "v=spf1 a:www.mons.be a:mail.mons.be a:shop.mons.be a:relay.mons.be -all";
        let zone = good().no_txt("plp.mons.be").txt("plp.mons.be", record);
        let zone =
            ["www", "mail", "shop"].iter().fold(zone, |zone, host| zone.a(&format!("{host}.mons.be"), "192.0.2.7"));
        let by_four = Subject { addresses: vec![OURS.parse().unwrap()], ..subject() };
        let findings = examine(&zone, &by_four).await;
        assert!(findings.iter().all(|finding| finding.outcome == Outcome::Pass), "{findings:#?}");
        // All of IPv6 let in is still all of IPv6, and a record that nobody can read is a fault for everybody.
        for (record, about) in [
            ("v=spf1 ip4:192.0.2.10 ip6:::/0 -all", "lets anybody"),
            ("v=spf1 ip4:192.0.2.10 a:/ -all", "does not work"),
        ] {
            let zone = good().no_txt("plp.mons.be").txt("plp.mons.be", record);
            let findings = examine(&zone, &by_four).await;
            assert!(findings.iter().any(|finding| finding.found.contains(about)), "{findings:#?}");
        }
        // Who does send by IPv6 is not let in by such a record.
        let strict = good().no_txt("plp.mons.be").txt("plp.mons.be", &record.replace("relay", "old"));
        assert!(examine(&strict, &subject()).await.iter().any(|finding| finding.outcome == Outcome::Fail));
    }
    #[tokio::test]
    async fn what_is_published_in_the_end_is_right() {
        let bad = good().no_txt("plp.mons.be").txt("plp.mons.be", "v=spf1 include:_spf.mons.be ?all");
        let bad = bad.txt("_spf.mons.be", "v=spf1 ip4:198.51.100.1 -all");
        let findings = examine(&bad, &subject()).await;
        let line = findings.last().unwrap().publish.clone().unwrap();
        let record = line.split('"').nth(1).unwrap();
        let mended = bad.no_txt("plp.mons.be").txt("plp.mons.be", record);
        let findings = examine(&mended, &subject()).await;
        assert!(findings.iter().all(|finding| finding.outcome == Outcome::Pass), "{findings:#?}");
    }
}
