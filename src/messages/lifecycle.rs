//! What a message can be, one type for each state. A later state is made only from an earlier one, and asks its own rules.

use super::message::{ApprovalPolicy, Class, InformationSource, Kind, Mode, Status};
use super::rules::{self, Circumstances, Refusal};
use crate::access::Role;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// What is true of a message in every state.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Its identifier.
    pub id: Id<of::Message>,
    /// Whose it is.
    pub partnership: Id<of::Partnership>,
    /// The message that began the thread; itself for the first.
    pub thread: Id<of::Message>,
    /// How pressing.
    pub class: Class,
    /// What it is in its thread.
    pub kind: Kind,
    /// Whether it is meant.
    pub mode: Mode,
    /// Where the information comes from.
    pub source: InformationSource,
    /// The message it speaks of.
    pub corrects: Option<Id<of::Message>>,
    /// The code under which anybody can see that it is real.
    pub short_code: String,
    /// How many minutes it is of use.
    pub validity_minutes: i32,
    /// Who began it.
    pub author: Id<of::Account>,
    /// As what.
    pub author_role: Role,
    /// The number of its present version.
    pub current_version: i32,
    /// Raised with every change.
    pub version: i64,
    /// When it was begun.
    pub created_at: Timestamp,
}
/// Being written.
#[derive(Debug)]
pub(super) struct Draft {
    facts: Facts,
}
/// With the police.
#[derive(Debug)]
pub struct Submitted {
    facts: Facts,
    by: Id<of::Account>,
    at: Timestamp,
}
/// Given back to its author, or refused.
#[derive(Debug)]
pub struct Refused {
    facts: Facts,
    reason: String,
    for_good: bool,
}
/// Agreed by the police, exactly as it stands.
#[derive(Debug)]
pub struct Approved {
    facts: Facts,
    policy: ApprovalPolicy,
    officer: Id<of::Account>,
    at: Timestamp,
}
/// Agreed; the coordinator passes it on.
#[derive(Debug)]
pub struct AwaitingRelease {
    facts: Facts,
    officer: Id<of::Account>,
    approved_at: Timestamp,
}
/// Going out. Only from this are deliveries made.
#[derive(Debug)]
pub struct Dispatching {
    facts: Facts,
    officer: Id<of::Account>,
    approved_at: Timestamp,
    valid_until: Timestamp,
}
/// Over, one way or another.
#[derive(Debug)]
pub struct Over {
    facts: Facts,
    status: Status,
}

/// A message as the database knows it.
#[derive(Debug)]
pub(super) enum Message {
    /// Being written.
    Draft(Draft),
    /// With the police.
    Submitted(Submitted),
    /// Given back or refused.
    Refused(Refused),
    /// Agreed; the coordinator passes it on.
    AwaitingRelease(AwaitingRelease),
    /// Going out.
    Dispatching(Dispatching),
    /// Over.
    Over(Over),
}
impl Message {
    /// What is true of it in every state.
    #[must_use]
    pub(super) const fn facts(&self) -> &Facts {
        match self {
            Self::Draft(m) => &m.facts,
            Self::Submitted(m) => &m.facts,
            Self::Refused(m) => &m.facts,
            Self::AwaitingRelease(m) => &m.facts,
            Self::Dispatching(m) => &m.facts,
            Self::Over(m) => &m.facts,
        }
    }
    /// Where it stands.
    #[must_use]
    pub(super) const fn status(&self) -> Status {
        match self {
            Self::Draft(_) => Status::Draft,
            Self::Submitted(_) => Status::Submitted,
            Self::Refused(m) => {
                if m.for_good {
                    Status::Rejected
                } else {
                    Status::Returned
                }
            }
            Self::AwaitingRelease(_) => Status::AwaitingRelease,
            Self::Dispatching(_) => Status::Dispatching,
            Self::Over(m) => m.status,
        }
    }
    /// Has it begun to leave?
    #[must_use]
    pub(super) const fn has_left(&self) -> bool {
        self.status().has_left()
    }
    /// Back to a draft, since its words change; an earlier submission is void.
    ///
    /// # Errors
    /// The message itself, when it can no longer be changed.
    pub(super) fn reopen(self) -> Result<Draft, Box<Self>> {
        match self {
            Self::Draft(draft) => Ok(draft),
            Self::Submitted(m) => Ok(Draft { facts: m.facts }),
            Self::Refused(m) if !m.for_good => Ok(Draft { facts: m.facts }),
            other => Err(Box::new(other)),
        }
    }
}

/// What a row says, beside the facts.
pub(super) struct Stored {
    pub(super) status: Status,
    pub(super) submitted: Option<(Id<of::Account>, Timestamp)>,
    pub(super) decided: Option<(Id<of::Account>, Timestamp)>,
    pub(super) reason: Option<String>,
    pub(super) valid_until: Option<Timestamp>,
}
/// A message from its row; `None` when the row does not hold what its status promises.
pub(super) fn restore(facts: Facts, stored: Stored) -> Option<Message> {
    Some(match stored.status {
        Status::Draft => Message::Draft(Draft { facts }),
        Status::Submitted => {
            let (by, at) = stored.submitted?;
            Message::Submitted(Submitted { facts, by, at })
        }
        Status::Returned | Status::Rejected => {
            Message::Refused(Refused { facts, reason: stored.reason?, for_good: stored.status == Status::Rejected })
        }
        Status::Approved | Status::AwaitingRelease => {
            let (officer, approved_at) = stored.decided?;
            Message::AwaitingRelease(AwaitingRelease { facts, officer, approved_at })
        }
        Status::Dispatching => {
            let (officer, approved_at) = stored.decided?;
            Message::Dispatching(Dispatching { facts, officer, approved_at, valid_until: stored.valid_until? })
        }
        status @ (Status::Completed
        | Status::CompletedWithFailures
        | Status::Stopped
        | Status::Discarded
        | Status::Expired) => Message::Over(Over { facts, status }),
    })
}

impl Draft {
    /// A message that begins.
    #[must_use]
    pub(super) const fn begin(facts: Facts) -> Self {
        Self { facts }
    }
    /// What is true of it.
    #[must_use]
    pub(super) const fn facts(&self) -> &Facts {
        &self.facts
    }
    /// Handed to the police.
    #[must_use]
    pub(super) fn submit(self, by: Id<of::Account>, at: Timestamp) -> Submitted {
        Submitted { facts: self.facts, by, at }
    }
    /// Thrown away.
    #[must_use]
    pub(super) fn discard(self) -> Over {
        Over { facts: self.facts, status: Status::Discarded }
    }
    /// Released by the partnership alone, where the plan says so. Asks its own rules.
    ///
    /// # Errors
    /// The rule that said no.
    pub(super) fn release_alone(self, by: &Circumstances<'_>) -> Result<Approved, Refusal> {
        rules::may_release_alone(&self.facts, by)?;
        Ok(Approved { facts: self.facts, policy: ApprovalPolicy::ReleaseAlone, officer: by.approver, at: by.now })
    }
}
impl Submitted {
    /// What is true of it.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
    /// Who handed it to the police.
    #[must_use]
    pub const fn by(&self) -> Id<of::Account> {
        self.by
    }
    /// When.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }
    /// The police agree. Asks its own rules, so no caller can pass them by.
    ///
    /// # Errors
    /// The rule that said no.
    pub fn approve(self, by: &Circumstances<'_>) -> Result<Approved, Refusal> {
        let policy = rules::may_approve(&self, by)?;
        Ok(Approved { facts: self.facts, policy, officer: by.approver, at: by.now })
    }
    /// Given back (`for_good` false) or refused (`for_good` true).
    #[must_use]
    pub fn refuse(self, reason: String, for_good: bool) -> Refused {
        Refused { facts: self.facts, reason, for_good }
    }
}
impl Refused {
    /// What is true of it.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
    /// Where it stands.
    #[must_use]
    pub const fn status(&self) -> Status {
        if self.for_good { Status::Rejected } else { Status::Returned }
    }
}
impl Approved {
    /// What is true of it.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
    /// Why this approval was enough.
    #[must_use]
    pub const fn policy(&self) -> ApprovalPolicy {
        self.policy
    }
    /// Who agreed.
    #[must_use]
    pub const fn officer(&self) -> Id<of::Account> {
        self.officer
    }
    /// When.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }
    /// It leaves.
    #[must_use]
    pub fn dispatch(self, valid_until: Timestamp) -> Dispatching {
        Dispatching { facts: self.facts, officer: self.officer, approved_at: self.at, valid_until }
    }
    /// It waits for the coordinator to pass it on.
    #[must_use]
    pub fn await_release(self) -> AwaitingRelease {
        AwaitingRelease { facts: self.facts, officer: self.officer, approved_at: self.at }
    }
}
impl AwaitingRelease {
    /// What is true of it.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
    /// Who agreed, and when.
    #[must_use]
    pub const fn decided(&self) -> (Id<of::Account>, Timestamp) {
        (self.officer, self.approved_at)
    }
    /// The police take their agreement back before it has left.
    #[must_use]
    pub fn withdraw(self, reason: String) -> Refused {
        Refused { facts: self.facts, reason, for_good: true }
    }
    /// Passed on: it leaves. Asks its own rules.
    ///
    /// # Errors
    /// The rule that said no.
    pub fn release(self, by: &Circumstances<'_>, valid_until: Timestamp) -> Result<Dispatching, Refusal> {
        rules::may_pass_on(&self.facts, by)?;
        Ok(Dispatching { facts: self.facts, officer: self.officer, approved_at: self.approved_at, valid_until })
    }
}
impl Dispatching {
    /// What is true of it.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
    /// Who agreed, and when.
    #[must_use]
    pub const fn decided(&self) -> (Id<of::Account>, Timestamp) {
        (self.officer, self.approved_at)
    }
    /// Until when it is sent.
    #[must_use]
    pub const fn valid_until(&self) -> Timestamp {
        self.valid_until
    }
    /// Stopped while going out.
    #[must_use]
    pub fn stop(self) -> Over {
        Over { facts: self.facts, status: Status::Stopped }
    }
}
impl Over {
    /// What is true of it.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
    /// Where it stands.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }
}

#[cfg(test)]
impl Facts {
    /// An urgent message of a coordinator, for the tables of rules.
    pub(super) fn example() -> Self {
        let id = Id::new();
        Self {
            id,
            partnership: Id::new(),
            thread: id,
            class: Class::Urgent,
            kind: Kind::Start,
            mode: Mode::Live,
            source: InformationSource::MemberReport,
            corrects: None,
            short_code: "K7QX2M4P".to_owned(),
            validity_minutes: 60,
            author: Id::new(),
            author_role: Role::Coordinator,
            current_version: 1,
            version: 1,
            created_at: Timestamp::from_micros(0),
        }
    }
}
