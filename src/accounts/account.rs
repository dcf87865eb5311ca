//! An account and the states it goes through: invited, active, locked, closed.

use secrecy::SecretString;

use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::of;

crate::words! {
    /// Where an account stands.
    pub enum AccountStatus {
        /// A letter is on its way; there is no password yet.
        Invited = "invited",
        /// Can sign in.
        Active = "active",
        /// Cannot sign in until it is unlocked.
        Locked = "locked",
        /// Over; the address is gone.
        Closed = "closed",
    }
}

/// The account is not in a state where this can be done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not possible for an account that is {}", .0.as_str())]
pub struct WrongState(pub AccountStatus);

/// What is true of an account in its state, and nothing else.
#[derive(Debug, Clone)]
pub(super) enum AccountState {
    Invited { email: EmailAddress },
    Active { email: EmailAddress, password_hash: SecretString },
    Locked { email: EmailAddress, password_hash: SecretString },
    Closed,
}

/// Somebody who can sign in, could, or will.
#[derive(Debug, Clone)]
pub struct Account {
    pub(super) id: Id<of::Account>,
    pub(super) person: Id<of::Person>,
    pub(super) version: i64,
    pub(super) state: AccountState,
}
impl Account {
    /// Where it stands.
    #[must_use]
    pub const fn status(&self) -> AccountStatus {
        match self.state {
            AccountState::Invited { .. } => AccountStatus::Invited,
            AccountState::Active { .. } => AccountStatus::Active,
            AccountState::Locked { .. } => AccountStatus::Locked,
            AccountState::Closed => AccountStatus::Closed,
        }
    }
    /// The address its owner signs in with; none once closed.
    #[must_use]
    pub const fn email(&self) -> Option<&EmailAddress> {
        match &self.state {
            AccountState::Invited { email }
            | AccountState::Active { email, .. }
            | AccountState::Locked { email, .. } => Some(email),
            AccountState::Closed => None,
        }
    }
    /// What a password is compared with; only an active account has something.
    pub(super) const fn password_hash(&self) -> Option<&SecretString> {
        match &self.state {
            AccountState::Active { password_hash, .. } => Some(password_hash),
            _ => None,
        }
    }
    /// The invitation is accepted.
    pub(super) fn accept(self, password_hash: SecretString) -> Result<Self, WrongState> {
        match self.state {
            AccountState::Invited { email } => {
                Ok(Self { state: AccountState::Active { email, password_hash }, ..self })
            }
            _ => Err(WrongState(self.status())),
        }
    }
    /// Another password.
    pub(super) fn change_password(self, password_hash: SecretString) -> Result<Self, WrongState> {
        match self.state {
            AccountState::Active { email, .. } => {
                Ok(Self { state: AccountState::Active { email, password_hash }, ..self })
            }
            _ => Err(WrongState(self.status())),
        }
    }
    /// No more signing in, for a time.
    pub(super) fn lock(self) -> Result<Self, WrongState> {
        match self.state {
            AccountState::Active { email, password_hash } => {
                Ok(Self { state: AccountState::Locked { email, password_hash }, ..self })
            }
            _ => Err(WrongState(self.status())),
        }
    }
    /// Signing in again.
    pub(super) fn unlock(self) -> Result<Self, WrongState> {
        match self.state {
            AccountState::Locked { email, password_hash } => {
                Ok(Self { state: AccountState::Active { email, password_hash }, ..self })
            }
            _ => Err(WrongState(self.status())),
        }
    }
    /// The end; address and password go.
    pub(super) fn close(self) -> Result<Self, WrongState> {
        match self.state {
            AccountState::Closed => Err(WrongState(AccountStatus::Closed)),
            _ => Ok(Self { state: AccountState::Closed, ..self }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, AccountState, AccountStatus, WrongState};
    use crate::values::EmailAddress;
    use crate::values::Id;

    fn in_state(status: AccountStatus) -> Account {
        let email = EmailAddress::parse("an@post.example").unwrap();
        let password_hash = "hash".to_owned().into();
        let state = match status {
            AccountStatus::Invited => AccountState::Invited { email },
            AccountStatus::Active => AccountState::Active { email, password_hash },
            AccountStatus::Locked => AccountState::Locked { email, password_hash },
            AccountStatus::Closed => AccountState::Closed,
        };
        Account { id: Id::new(), person: Id::new(), version: 1, state }
    }

    #[test]
    fn every_step_leads_where_it_should_and_from_nowhere_else() {
        use AccountStatus::{Active, Closed, Invited, Locked};
        type Step = fn(Account) -> Result<Account, WrongState>;
        let steps: [(&str, Step, &[AccountStatus], AccountStatus); 5] = [
            ("accept", |account| account.accept("new".to_owned().into()), &[Invited], Active),
            ("change", |account| account.change_password("new".to_owned().into()), &[Active], Active),
            ("lock", Account::lock, &[Active], Locked),
            ("unlock", Account::unlock, &[Locked], Active),
            ("close", Account::close, &[Invited, Active, Locked], Closed),
        ];
        for (name, step, from, to) in steps {
            for status in AccountStatus::ALL {
                let done = step(in_state(*status)).map(|account| account.status());
                let expected = if from.contains(status) { Ok(to) } else { Err(WrongState(*status)) };
                assert_eq!(done, expected, "{name} from {status:?}");
            }
        }
    }
    #[test]
    fn only_an_active_account_has_something_to_compare_a_password_with() {
        for status in AccountStatus::ALL {
            assert_eq!(in_state(*status).password_hash().is_some(), *status == AccountStatus::Active);
        }
        assert!(in_state(AccountStatus::Closed).email().is_none());
    }
    #[test]
    fn it_prints_neither_address_nor_hash() {
        let printed = format!("{:?}", in_state(AccountStatus::Active));
        assert!(!printed.contains("post.example") && !printed.contains("hash\""), "{printed}");
    }
}
