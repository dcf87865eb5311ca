//! SPF as a receiving server reads it (RFC 7208): may these addresses send for this domain, and may nobody else?
//! `spf_record.rs` reads a record, `spf_walk.rs` goes through it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::dns::Resolver;
use super::finding::{CheckName, Finding};
use super::spf_record::{Halt, Word, mended, merged, records};
use super::spf_walk::Walk;
use super::subject::Subject;

/// Nobody sends from these (RFC 5737, RFC 3849): what a record says about them it says about everybody.
const STRANGERS: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(203, 0, 113, 77)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x77))];

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
            return vec![Finding::fail(CheckName::Spf, found, next).publishing(&domain, &merged(several))];
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
    use crate::doctor::zone::{good, subject};

    const OURS: &str = "192.0.2.10";

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
