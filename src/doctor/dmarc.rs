//! DMARC (RFC 7489): what shall others do with mail that only pretends to be ours? The policy of the domain, else that of
//! its organizational domain; and whether the envelope's sender counts for it.

use super::dkim::tags;
use super::dns::Answer;
use super::finding::{CheckName, Finding};
use super::subject::{Subject, organizational};

const CHECK: CheckName = CheckName::Dmarc;

/// Where the policy of a domain is published.
fn place(domain: &str) -> String {
    format!("_dmarc.{domain}")
}
/// Where to look, in order: the domain, then the organizational domain if it is another.
pub(super) fn places(subject: &Subject) -> Vec<String> {
    let mut places = vec![place(&subject.domain), place(organizational(&subject.domain))];
    places.dedup();
    places
}

/// What a domain wants done with forgeries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Nothing,
    Quarantine,
    Reject,
}
impl Policy {
    fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "none" => Some(Self::Nothing),
            "quarantine" => Some(Self::Quarantine),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }
}
#[derive(Debug, PartialEq, Eq)]
struct Record {
    policy: Policy,
    percent: u8,
    is_strict: bool,
}
/// Reads a record as it counts for the domain, or for what lies below it.
fn parse(text: &str, is_above: bool) -> Result<Record, &'static str> {
    let tags = tags(text).ok_or("it is not a list of tags")?;
    let policy = tags.get("p").ok_or("it says no policy (p=)")?;
    let policy = if is_above { tags.get("sp").unwrap_or(policy) } else { policy };
    let percent = tags.get("pct").map_or(Some(100), |percent| percent.parse().ok().filter(|percent| *percent <= 100));
    let policy = Policy::parse(policy).ok_or("its policy is none of none, quarantine, reject")?;
    let percent = percent.ok_or("its pct= is not a percentage")?;
    Ok(Record {
        // What the percentage leaves out is treated one step milder (RFC 7489, 6.6.4); here that is everything.
        policy: match policy {
            Policy::Quarantine if percent == 0 => Policy::Nothing,
            Policy::Reject if percent == 0 => Policy::Quarantine,
            policy => policy,
        },
        percent,
        is_strict: tags.get("aspf").is_some_and(|alignment| alignment.eq_ignore_ascii_case("s")),
    })
}
/// The texts among these that are DMARC records.
fn records(texts: Vec<String>) -> Vec<String> {
    let is_record = |text: &String| {
        let version = text.split(';').next().unwrap_or_default();
        version.split_once('=').is_some_and(|(name, value)| name.trim() == "v" && value.trim() == "DMARC1")
    };
    texts.into_iter().filter(is_record).collect()
}

/// Judges what stands at each place, in the order of `places`.
pub(super) fn judge(subject: &Subject, answers: Vec<Answer<String>>) -> Vec<Finding> {
    let right = "v=DMARC1; p=reject";
    let here = place(&subject.domain);
    for (number, (at, answer)) in places(subject).into_iter().zip(answers).enumerate() {
        let found = match answer {
            Ok(texts) => records(texts),
            Err(error) => return vec![Finding::unknown(CHECK, &at, error)],
        };
        let record = match found.as_slice() {
            [] => continue,
            [record] => record,
            several => {
                let found = format!("there are {} DMARC records at {at}, so none of them counts", several.len());
                return vec![Finding::fail(CHECK, found, "leave one")];
            }
        };
        return match parse(record, number > 0) {
            Err(what) => {
                let found = format!("the DMARC record at {at} cannot be used: {what}");
                vec![Finding::fail(CHECK, found, "publish this one").publishing(&here, right)]
            }
            Ok(read) => judge_record(subject, &at, &read)
                .into_iter()
                .map(|finding| if finding.next.is_some() { finding.publishing(&here, right) } else { finding })
                .chain(judge_alignment(subject, &read))
                .collect(),
        };
    }
    let next = "publish this one; add rua=mailto:… with an address that is read, to be told of forgeries";
    vec![Finding::fail(CHECK, format!("{} has no DMARC record", subject.domain), next).publishing(&here, right)]
}
fn judge_record(subject: &Subject, at: &str, record: &Record) -> Vec<Finding> {
    let domain = &subject.domain;
    let mut findings = vec![match record.policy {
        Policy::Nothing => Finding::fail(
            CHECK,
            format!("{at} asks others to deliver forgeries of {domain} (p=none, or pct=0)"),
            "ask them to refuse, once SPF and DKIM pass",
        ),
        Policy::Quarantine => Finding::warn(
            CHECK,
            format!("{at} asks others only to set forgeries of {domain} aside (p=quarantine)"),
            "ask them to refuse, when the reports show nothing of yours among the forgeries",
        ),
        Policy::Reject => Finding::pass(CHECK, format!("{at} asks others to refuse forgeries of {domain} (p=reject)")),
    }];
    if record.percent < 100 && record.policy != Policy::Nothing {
        findings.push(Finding::warn(
            CHECK,
            format!("{at} asks so for {} % only", record.percent),
            "take pct= out of the record",
        ));
    }
    findings
}
/// SPF counts for DMARC only when the envelope's sender belongs to the domain that people see.
fn judge_alignment(subject: &Subject, record: &Record) -> Option<Finding> {
    let envelope = subject.envelope_domain();
    let is_aligned = if record.is_strict {
        envelope == subject.domain
    } else {
        organizational(&envelope) == organizational(&subject.domain)
    };
    if envelope == subject.domain {
        return None;
    }
    Some(if is_aligned {
        Finding::pass(CHECK, format!("bounces to {envelope} belong to {}", subject.domain))
    } else {
        Finding::fail(
            CHECK,
            format!("SPF of {envelope}, where bounces go, does not count for {}", subject.domain),
            "set email.bounce_address to an address of the domain of email.from, or take aspf=s out of the record",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::dns::CouldNotAsk;
    use crate::doctor::finding::Outcome;
    use crate::doctor::zone::subject;

    fn texts(texts: &[&str]) -> Answer<String> {
        Ok(texts.iter().map(|text| (*text).to_owned()).collect())
    }
    fn sick() -> Answer<String> {
        Err(CouldNotAsk("SERVFAIL".to_owned()))
    }

    #[test]
    fn the_domain_is_asked_and_then_the_organization() {
        assert_eq!(places(&subject()), ["_dmarc.plp.mons.be", "_dmarc.mons.be"]);
        let top = Subject { domain: "mons.be".to_owned(), ..subject() };
        assert_eq!(places(&top), ["_dmarc.mons.be"]);
    }
    /// accept M19
    #[test]
    fn each_policy_has_its_finding() {
        let reject = "v=DMARC1; p=reject";
        let table = [
            (texts(&[reject]), texts(&[]), Outcome::Pass, "p=reject"),
            (texts(&["v = DMARC1 ; p=REJECT; pct=100", "v=spf1 -all"]), texts(&[]), Outcome::Pass, "p=reject"),
            (texts(&["v=DMARC1; p=quarantine"]), texts(&[]), Outcome::Warn, "p=quarantine"),
            (texts(&["v=DMARC1; p=reject; pct=50"]), texts(&[]), Outcome::Warn, "50 %"),
            (texts(&["v=DMARC1; p=none"]), texts(&[reject]), Outcome::Fail, "p=none"),
            (texts(&["v=DMARC1; p=quarantine; pct=0"]), texts(&[]), Outcome::Fail, "pct=0"),
            (texts(&["v=DMARC1; p=reject; pct=0"]), texts(&[]), Outcome::Warn, "only to set"),
            (texts(&["v=DMARC1; rua=mailto:a@b.be"]), texts(&[reject]), Outcome::Fail, "no policy"),
            (texts(&["v=DMARC1; p=drop"]), texts(&[reject]), Outcome::Fail, "none of none"),
            (texts(&["v=DMARC1; p=reject; pct=150"]), texts(&[]), Outcome::Fail, "percentage"),
            (texts(&["v=DMARC1; p"]), texts(&[]), Outcome::Fail, "list of tags"),
            (texts(&[reject, reject]), texts(&[reject]), Outcome::Fail, "2 DMARC records"),
            (texts(&[]), texts(&[]), Outcome::Fail, "has no DMARC record"),
            (texts(&["v=DMARC2; p=reject"]), texts(&[]), Outcome::Fail, "has no DMARC record"),
            (
                texts(&[]),
                texts(&[reject]),
                Outcome::Pass,
                "_dmarc.mons.be asks others to refuse forgeries of plp.mons.be",
            ),
            (texts(&[]), texts(&["v=DMARC1; p=none; sp=reject"]), Outcome::Pass, "p=reject"),
            (texts(&[]), texts(&["v=DMARC1; p=reject; sp=none"]), Outcome::Fail, "p=none"),
            (texts(&["v=DMARC1; p=reject; sp=none"]), texts(&[]), Outcome::Pass, "p=reject"),
            (sick(), texts(&[reject]), Outcome::Unknown, "SERVFAIL"),
            (texts(&[]), sick(), Outcome::Unknown, "SERVFAIL"),
            (texts(&[reject]), sick(), Outcome::Pass, "p=reject"),
        ];
        for (here, above, worst, about) in table {
            let findings = judge(&subject(), vec![here.clone(), above.clone()]);
            let case = format!("{here:?} {above:?}: {findings:#?}");
            assert_eq!(findings.iter().map(|finding| finding.outcome).max(), Some(worst), "{case}");
            assert!(findings.iter().any(|finding| finding.found.contains(about)), "{case}");
            if worst == Outcome::Fail && !case.contains("leave one") {
                let line = findings.iter().find_map(|finding| finding.publish.clone());
                assert_eq!(line.as_deref(), Some("_dmarc.plp.mons.be. IN TXT \"v=DMARC1; p=reject\""), "{case}");
            }
        }
    }
    #[test]
    fn bounces_go_to_an_address_that_counts_for_the_domain() {
        let (relaxed, strict) = ("v=DMARC1; p=reject", "v=DMARC1; p=reject; aspf=s");
        let table = [
            ("bounce@plp.mons.be", strict, Outcome::Pass),
            ("bounce@mons.be", relaxed, Outcome::Pass),
            ("bounce@bounces.mons.be", relaxed, Outcome::Pass),
            ("bounce@bounces.mons.be", strict, Outcome::Fail),
            ("bounce@mailer.example", relaxed, Outcome::Fail),
        ];
        for (envelope, record, worst) in table {
            let subject = Subject { envelope: envelope.to_owned(), ..subject() };
            let findings = judge(&subject, vec![texts(&[record]), texts(&[])]);
            let found = findings.iter().map(|finding| finding.outcome).max();
            assert_eq!(found, Some(worst), "{envelope} {record}: {findings:#?}");
        }
    }
}
