//! Addresses and names that point at each other, and the way back for answers. Many servers refuse mail from an address
//! without a name of its own.

use std::net::IpAddr;

use super::dns::{CouldNotAsk, Resolver};
use super::finding::{CheckName, Finding};
use super::subject::Subject;

/// The names of one address: does one of them lead back to it (RFC 1912, 2.1)?
pub(super) async fn examine(resolver: &dyn Resolver, subject: &Subject) -> Vec<Finding> {
    const CHECK: CheckName = CheckName::Ptr;
    if subject.addresses.is_empty() {
        return vec![Finding::fail(
            CHECK,
            "nobody said from which addresses the relay sends",
            "name them in the setting email.sending_addresses",
        )];
    }
    let mut findings = Vec::new();
    for address in &subject.addresses {
        findings.push(match look(resolver, *address).await {
            Err(error) => Finding::unknown(CHECK, &address.to_string(), error),
            Ok((_, Some(host))) => Finding::pass(CHECK, format!("{address} and {host} point at each other")),
            Ok((names, None)) => {
                let kind = if address.is_ipv4() { "A" } else { "AAAA" };
                match names.first() {
                    None => Finding::fail(
                        CHECK,
                        format!("{address} has no name"),
                        "let whoever owns the address (the provider of the line or the host) set its PTR to the relay's name",
                    ),
                    Some(name) => Finding::fail(
                        CHECK,
                        format!("{address} is called {}, which does not lead back to it", names.join(", ")),
                        "publish this address for the name, or have the PTR set to the relay's name",
                    )
                    .publishing_line(format!("{name}. IN {kind} {address}")),
                }
            }
        });
    }
    findings
}
/// Its names, and the first that leads back.
async fn look(resolver: &dyn Resolver, address: IpAddr) -> Result<(Vec<String>, Option<String>), CouldNotAsk> {
    let names: Vec<String> =
        resolver.ptr(address).await?.iter().map(|name| name.trim_end_matches('.').to_owned()).collect();
    let mut trouble = None;
    for name in &names {
        match resolver.addresses(name, address).await {
            Ok(found) if found.contains(&address) => return Ok((names.clone(), Some(name.clone()))),
            Ok(_) => {}
            Err(error) => trouble = Some(error),
        }
    }
    trouble.map_or(Ok((names, None)), Err)
}

/// Can answers and bounces come back? Never worse than a warning: mail leaves without it.
pub(super) async fn examine_way_back(resolver: &dyn Resolver, subject: &Subject) -> Vec<Finding> {
    const CHECK: CheckName = CheckName::Mx;
    let mut domains = vec![subject.envelope_domain(), subject.domain.clone()];
    domains.dedup();
    let mut findings = Vec::new();
    for domain in domains {
        let next = "name the server that takes mail for it";
        let line = || format!("{domain}. IN MX 10 NAME-OF-A-MAIL-SERVER.");
        findings.push(match resolver.mx(&domain).await {
            Err(error) => Finding::warn(CHECK, format!("{domain} could not be asked: {error}"), "ask again later"),
            Ok(hosts) if hosts.iter().any(|host| host == ".") => {
                Finding::warn(CHECK, format!("{domain} says that it takes no mail"), next).publishing_line(line())
            }
            Ok(hosts) if hosts.is_empty() => {
                Finding::warn(CHECK, format!("no mail server takes answers and bounces to {domain}"), next)
                    .publishing_line(line())
            }
            Ok(hosts) => {
                let hosts: Vec<&str> = hosts.iter().map(|host| host.trim_end_matches('.')).collect();
                Finding::pass(CHECK, format!("mail to {domain} goes to {}", hosts.join(", ")))
            }
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Outcome;
    use crate::doctor::zone::{Zone, good, subject};

    fn alone() -> Subject {
        Subject { addresses: vec!["192.0.2.10".parse().unwrap()], ..subject() }
    }

    /// accept M19
    #[tokio::test]
    async fn an_address_has_a_name_that_leads_back() {
        let named = |host: &str| Zone::default().ptr("192.0.2.10", host);
        let table = [
            (good(), Outcome::Pass, "relay.mons.be point at each other"),
            (named("old.be").ptr("192.0.2.10", "relay.be.").a("relay.be", "192.0.2.10"), Outcome::Pass, "relay.be"),
            (Zone::default(), Outcome::Fail, "has no name"),
            (named("relay.be"), Outcome::Fail, "called relay.be"),
            (named("relay.be").a("relay.be", "192.0.2.11"), Outcome::Fail, "does not lead back"),
            (good().sick("192.0.2.10"), Outcome::Unknown, "SERVFAIL"),
            (good().sick("relay.mons.be"), Outcome::Unknown, "SERVFAIL"),
        ];
        for (zone, outcome, about) in table {
            let findings = examine(&zone, &alone()).await;
            assert_eq!((findings.len(), findings[0].outcome), (1, outcome), "{findings:#?}");
            assert!(findings[0].found.contains(about), "{findings:#?}");
        }
        let wrong = examine(&named("relay.be."), &alone()).await;
        assert_eq!(wrong[0].publish.as_deref(), Some("relay.be. IN A 192.0.2.10"));
        let nobody = examine(&good(), &Subject { addresses: Vec::new(), ..subject() }).await;
        assert_eq!(nobody[0].outcome, Outcome::Fail);
        assert_eq!(examine(&good(), &subject()).await.len(), 2, "each address by itself");
    }
    #[tokio::test]
    async fn answers_can_come_back_or_one_is_warned() {
        let table = [
            (good(), Outcome::Pass, "goes to mail.mons.be"),
            (Zone::default(), Outcome::Warn, "no mail server"),
            (Zone::default().mx("plp.mons.be", "."), Outcome::Warn, "takes no mail"),
            (good().sick("plp.mons.be"), Outcome::Warn, "could not be asked"),
        ];
        for (zone, outcome, about) in table {
            let findings = examine_way_back(&zone, &subject()).await;
            assert_eq!((findings.len(), findings[0].outcome), (1, outcome), "{findings:#?}");
            assert!(findings[0].found.contains(about), "{findings:#?}");
        }
        let apart = Subject { envelope: "bounce@mons.be".to_owned(), ..subject() };
        assert_eq!(examine_way_back(&good(), &apart).await.len(), 2);
    }
}
