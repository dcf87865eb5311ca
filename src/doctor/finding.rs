//! What was found: one sentence each, how bad it is, what to do next, and the record to publish.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::values::Timestamp;
use crate::words;

words! {
    /// What is looked at.
    pub enum CheckName {
        /// May these addresses send for the domain? (RFC 7208)
        Spf = "spf",
        /// Is there a key for the signatures? (RFC 6376)
        Dkim = "dkim",
        /// What shall others do with forgeries? (RFC 7489)
        Dmarc = "dmarc",
        /// Do addresses and names point at each other?
        Ptr = "ptr",
        /// Can answers and bounces come back?
        Mx = "mx",
    }
}
words! {
    /// How bad a finding is, the worst last.
    pub enum Outcome {
        /// As it should be.
        Pass = "pass",
        /// Works, and could be better.
        Warn = "warn",
        /// Nobody could be asked.
        Unknown = "unknown",
        /// Has to be mended.
        Fail = "fail",
    }
}
words! {
    /// What a whole examination says.
    pub enum Verdict {
        /// Nothing has to be mended.
        Passed = "passed",
        /// Not everything could be asked.
        Unknown = "unknown",
        /// Something has to be mended.
        Failed = "failed",
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Of which check.
    pub check: CheckName,
    /// How bad.
    pub outcome: Outcome,
    /// What is there.
    pub found: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The record to publish, as a line of a zone file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish: Option<String>,
}
impl Finding {
    fn new(check: CheckName, outcome: Outcome, found: impl Into<String>, next: Option<String>) -> Self {
        Self { check, outcome, found: shown(&found.into()), next, publish: None }
    }
    pub(super) fn pass(check: CheckName, found: impl Into<String>) -> Self {
        Self::new(check, Outcome::Pass, found, None)
    }
    pub(super) fn warn(check: CheckName, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(check, Outcome::Warn, found, Some(next.into()))
    }
    pub(super) fn fail(check: CheckName, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(check, Outcome::Fail, found, Some(next.into()))
    }
    pub(super) fn unknown(check: CheckName, name: &str, reason: impl fmt::Display) -> Self {
        let found = format!("{name} could not be asked: {reason}");
        Self::new(check, Outcome::Unknown, found, Some("look at the name servers, then ask again".to_owned()))
    }
    /// With a text to publish.
    pub(super) fn publishing(self, name: &str, text: &str) -> Self {
        Self { publish: Some(shown(&txt_line(name, text))), ..self }
    }
    /// With another record to publish.
    pub(super) fn publishing_line(self, line: String) -> Self {
        Self { publish: Some(shown(&line)), ..self }
    }
}
/// What the DNS says, fit for a terminal: anybody can write control characters into a record.
fn shown(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
/// A text as a line of a zone file: no string of it longer than the 255 bytes that a string can hold.
fn txt_line(name: &str, text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let quoted =
        |chunk: &[char]| format!("\"{}\"", chunk.iter().collect::<String>().replace('\\', "\\\\").replace('"', "\\\""));
    let strings: Vec<String> = letters.chunks(250).map(quoted).collect();
    format!("{name}. IN TXT {}", strings.join(" "))
}

/// A whole examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The domain in `From`.
    pub domain: String,
    /// When it was asked.
    pub checked_at: Timestamp,
    /// What it comes to.
    pub verdict: Verdict,
    /// What was found, check by check.
    pub findings: Vec<Finding>,
}
impl Report {
    /// Comes to its verdict.
    #[must_use]
    pub fn new(domain: &str, checked_at: Timestamp, findings: Vec<Finding>) -> Self {
        let worst = findings.iter().map(|finding| finding.outcome).max();
        let verdict = match worst {
            Some(Outcome::Pass | Outcome::Warn) => Verdict::Passed,
            Some(Outcome::Unknown) | None => Verdict::Unknown,
            Some(Outcome::Fail) => Verdict::Failed,
        };
        Self { domain: domain.to_owned(), checked_at, verdict, findings }
    }
    /// The worst of each check: what is kept.
    #[must_use]
    pub fn summary(&self) -> BTreeMap<CheckName, Outcome> {
        let mut summary = BTreeMap::new();
        for finding in &self.findings {
            let worst = summary.entry(finding.check).or_insert(finding.outcome);
            *worst = finding.outcome.max(*worst);
        }
        summary
    }
}
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Mail of {}, asked at {}\n", self.domain, self.checked_at)?;
        for finding in &self.findings {
            let check = finding.check.as_str().to_uppercase();
            writeln!(f, "{check:<6}{:<9}{}", finding.outcome.as_str(), finding.found)?;
            if let Some(next) = &finding.next {
                writeln!(f, "{:15}do: {next}", "")?;
            }
            if let Some(line) = &finding.publish {
                writeln!(f, "{:15}{line}", "")?;
            }
        }
        let said = match self.verdict {
            Verdict::Passed => "Passed: others can tell that this mail is ours.",
            Verdict::Unknown => "Not verified: not everything could be asked. Try again later.",
            Verdict::Failed => {
                "Failed: until this is mended, mail may be taken for a forgery, and no partnership goes live."
            }
        };
        writeln!(f, "\n{said}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcomes: &[Outcome]) -> Report {
        let of = |outcome: &Outcome| Finding::new(CheckName::Spf, *outcome, "x", None);
        Report::new("mons.be", Timestamp::from_micros(0), outcomes.iter().map(of).collect())
    }

    #[test]
    fn the_worst_finding_decides() {
        use Outcome::{Fail, Pass, Unknown, Warn};
        let table = [
            (vec![Pass], Verdict::Passed),
            (vec![Pass, Warn], Verdict::Passed),
            (vec![Warn, Unknown, Pass], Verdict::Unknown),
            (vec![Fail, Unknown, Pass], Verdict::Failed),
            (vec![], Verdict::Unknown),
        ];
        for (outcomes, verdict) in table {
            let report = report(&outcomes);
            assert_eq!(report.verdict, verdict, "{outcomes:?}");
            assert_eq!(report.summary().get(&CheckName::Spf), outcomes.iter().max(), "{outcomes:?}");
        }
    }
    #[test]
    fn what_the_dns_says_cannot_command_a_terminal() {
        let finding =
            Finding::fail(CheckName::Spf, "v=spf1 \u{1b}[2J\u{9b}2J -all", "mend it").publishing("a.be", "x\u{7}");
        let report = Report::new("a.be", Timestamp::from_micros(0), vec![finding]).to_string();
        assert!(!report.chars().any(|c| c.is_control() && c != '\n'), "{report:?}");
    }
    #[test]
    fn a_record_can_be_pasted() {
        let long = "k".repeat(300);
        let line = txt_line("a.be", &format!("p={long}; \"q\" \\"));
        assert!(line.starts_with("a.be. IN TXT \"p=kkk") && line.ends_with("\\\"q\\\" \\\\\""), "{line}");
        assert!(line.split('"').all(|string| string.len() < 256));
        let shown = report(&[Outcome::Fail]).to_string();
        assert!(shown.contains("SPF   fail     x") && shown.contains("no partnership goes live"), "{shown}");
    }
}
