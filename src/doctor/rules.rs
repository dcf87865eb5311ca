//! When a partnership may go live, and when to ask again (accept M19).

use std::collections::BTreeMap;
use std::time::Duration;

use super::finding::{CheckName, Outcome, Verdict};
use crate::values::Timestamp;

/// How long a verdict counts for going live.
const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often the worker asks.
const EVERY: Duration = Duration::from_secs(24 * 3600);
/// How soon it asks again when nobody could be asked.
const AGAIN: Duration = Duration::from_secs(3600);

/// The newest examination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCheck {
    /// When.
    pub checked_at: Timestamp,
    /// What it came to.
    pub verdict: Verdict,
    /// The worst of each check.
    pub summary: BTreeMap<CheckName, Outcome>,
}

/// How mail stands, for who wants to go live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No real mail leaves here.
    DoesNotMatter,
    /// It passed, not long ago.
    Verified,
    /// This identity was never examined.
    NeverExamined,
    /// It passed, too long ago.
    Old,
    /// These did not pass.
    NotVerified(Vec<CheckName>),
}
impl Standing {
    /// May a partnership go live?
    #[must_use]
    pub const fn may_go_live(&self) -> bool {
        matches!(self, Self::DoesNotMatter | Self::Verified)
    }
    /// What to do next.
    #[must_use]
    pub fn next(&self) -> String {
        let then =
            "whoever runs this installation runs `vigie doctor mail`, which says what to publish; then try again";
        match self {
            Self::DoesNotMatter | Self::Verified => "nothing".to_owned(),
            Self::NeverExamined => {
                format!("nobody has examined yet whether our mail can be told from forgeries: {then}")
            }
            Self::Old => format!("the mail was examined more than 30 days ago: {then}"),
            Self::NotVerified(checks) => {
                let names: Vec<String> = checks.iter().map(|check| check.as_str().to_uppercase()).collect();
                format!("our mail cannot be told from forgeries ({} did not pass): {then}", names.join(", "))
            }
        }
    }
}

/// How mail stands where it matters.
pub(super) fn standing(last: Option<&LastCheck>, now: Timestamp) -> Standing {
    match last {
        None => Standing::NeverExamined,
        Some(last) if last.verdict != Verdict::Passed => {
            let bad = |outcome: &Outcome| matches!(outcome, Outcome::Unknown | Outcome::Fail);
            Standing::NotVerified(
                last.summary.iter().filter(|(_, outcome)| bad(outcome)).map(|(name, _)| *name).collect(),
            )
        }
        Some(last) if last.checked_at.plus(LIFE) <= now => Standing::Old,
        Some(_) => Standing::Verified,
    }
}
/// Is it time to ask again?
pub(super) fn is_due(last: Option<&LastCheck>, now: Timestamp) -> bool {
    last.is_none_or(|last| {
        let wait = if last.verdict == Verdict::Unknown { AGAIN } else { EVERY };
        last.checked_at.plus(wait) <= now
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3600;
    fn last(verdict: Verdict, outcome: Outcome) -> LastCheck {
        let summary = [(CheckName::Spf, Outcome::Pass), (CheckName::Ptr, outcome)].into();
        LastCheck { checked_at: Timestamp::from_micros(0), verdict, summary }
    }
    fn after(seconds: u64) -> Timestamp {
        Timestamp::from_micros(0).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn only_a_good_and_recent_verdict_lets_a_partnership_go_live() {
        let good = last(Verdict::Passed, Outcome::Warn);
        let bad = last(Verdict::Failed, Outcome::Fail);
        let silent = last(Verdict::Unknown, Outcome::Unknown);
        let table = [
            (None, 0, Standing::NeverExamined),
            (Some(&good), 30 * DAY - 1, Standing::Verified),
            (Some(&good), 30 * DAY, Standing::Old),
            (Some(&bad), 0, Standing::NotVerified(vec![CheckName::Ptr])),
            (Some(&silent), 0, Standing::NotVerified(vec![CheckName::Ptr])),
        ];
        for (last, at, wanted) in table {
            let found = standing(last, after(at));
            assert_eq!(found.may_go_live(), found == Standing::Verified);
            assert!(found.may_go_live() || found.next().contains("vigie doctor mail"), "{}", found.next());
            assert_eq!(found, wanted);
        }
        assert!(Standing::DoesNotMatter.may_go_live());
    }
    #[test]
    fn it_is_asked_once_a_day_and_sooner_when_nobody_answered() {
        let table = [
            (None, 0, true),
            (Some(Verdict::Passed), DAY - 1, false),
            (Some(Verdict::Passed), DAY, true),
            (Some(Verdict::Failed), DAY - 1, false),
            (Some(Verdict::Unknown), 3599, false),
            (Some(Verdict::Unknown), 3600, true),
        ];
        for (verdict, at, wanted) in table {
            let last = verdict.map(|verdict| last(verdict, Outcome::Pass));
            assert_eq!(is_due(last.as_ref(), after(at)), wanted, "{verdict:?} {at}");
        }
    }
}
