//! A whole examination: every check, in the order in which one mends them.

use super::dkim;
use super::dmarc;
use super::dns::Resolver;
use super::finding::Report;
use super::ptr;
use super::spf;
use super::subject::Subject;
use crate::values::Timestamp;

/// Asks everything about one identity. Outside any transaction: a name server may take its time.
pub async fn examine(resolver: &dyn Resolver, subject: &Subject, at: Timestamp) -> Report {
    let mut findings = spf::examine(resolver, subject).await;
    let key = if subject.selector.is_empty() { Ok(Vec::new()) } else { resolver.txt(&dkim::place(subject)).await };
    findings.extend(dkim::judge(subject, key));
    let mut policies = Vec::new();
    for place in dmarc::places(subject) {
        policies.push(resolver.txt(&place).await);
    }
    findings.extend(dmarc::judge(subject, policies));
    findings.extend(ptr::examine(resolver, subject).await);
    findings.extend(ptr::examine_way_back(resolver, subject).await);
    Report::new(&subject.domain, at, findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::{CheckName, Outcome, Verdict};
    use crate::doctor::zone::{good, subject};

    /// accept M19
    #[tokio::test]
    async fn one_sick_name_server_is_enough_not_to_pass() {
        let at = Timestamp::from_micros(0);
        let report = examine(&good(), &subject(), at).await;
        assert_eq!(report.verdict, Verdict::Passed, "{report}");
        assert_eq!(report.summary().keys().copied().collect::<Vec<_>>(), CheckName::ALL);
        let table = [
            ("plp.mons.be", CheckName::Spf),
            ("v1._domainkey.plp.mons.be", CheckName::Dkim),
            ("_dmarc.plp.mons.be", CheckName::Dmarc),
            ("192.0.2.10", CheckName::Ptr),
        ];
        for (name, check) in table {
            let report = examine(&good().sick(name), &subject(), at).await;
            assert_eq!(report.verdict, Verdict::Unknown, "{report}");
            assert_eq!(report.summary().get(&check), Some(&Outcome::Unknown), "{report}");
        }
    }
}
