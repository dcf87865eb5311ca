//! A walk through SPF records for one address: it asks the DNS as it goes, within the limits of RFC 7208.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use futures_util::future::BoxFuture;

use super::dns::Resolver;
use super::spf_record::{Halt, Mechanism, Word, parse, permanent, records};

/// Terms that ask the DNS, at most (RFC 7208, 4.6.4).
const LOOKUPS: usize = 10;
/// Of these, how many may find nothing.
const VOID_LOOKUPS: usize = 2;

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
pub(super) struct Walk<'r> {
    resolver: &'r dyn Resolver,
    address: IpAddr,
    sender: &'r str,
    lookups: usize,
    voids: usize,
}
impl<'r> Walk<'r> {
    pub(super) fn new(resolver: &'r dyn Resolver, address: IpAddr, sender: &'r str) -> Self {
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
    pub(super) fn check(&mut self, domain: String) -> BoxFuture<'_, Result<Word, Halt>> {
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
                let Ok(hosts) = self.resolver.ptr(self.address).await else { return Ok(false) };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::zone::Zone;

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
    /// What could not be asked is not a lookup that found nothing (RFC 7208, 4.6.4 and 5.5).
    #[tokio::test]
    async fn a_name_that_cannot_be_asked_is_not_void() {
        let record = "v=spf1 ptr:mons.be a:gone.be a:away.be ip4:192.0.2.10 -all";
        assert_eq!(says(&with(record).sick(OURS), OURS).await, Ok(Word::Pass));
        assert!(is_permanent(&says(&with(record), OURS).await, "find nothing"));
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
}
