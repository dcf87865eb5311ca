//! Accounts: who can sign in, how they prove who they are, and how they come to a password in the first place.
//!
//! An account is invited by letter, becomes active when its owner chooses a password, and ends when it is closed. What an
//! account may do is not decided here: that is a grant, and grants belong to `access`.
//!
//! **Nobody learns here whether an address has an account**: an unknown address, a wrong password, and an account that is
//! invited, locked or closed get the same answer after the same work. **Nobody is locked out for ever**: tries are counted
//! for each address and each network in windows of 15 minutes, a right password gives its try back, and sessions that are
//! open go on. Whoever keeps guessing at an address can keep its owner from signing in anew for as long as the guessing
//! goes on, and no longer.

mod account;
mod actions;
mod change_password;
mod choose_password;
mod close;
mod error;
mod first_administrator;
mod invite;
mod me;
mod own_password;
mod pages;
mod password;
mod payloads;
mod reach;
mod reinstate;
mod request_reset;
mod routes;
mod rules;
mod sign_in;
mod step_up;
mod store;
mod tries;

pub use account::{Account, AccountStatus, WrongState};
pub use close::{close_account, lock_account, unlock_account};
pub use first_administrator::{FirstAdministrator, create_first_administrator};
pub use invite::{Invitation, create_active, invite};
pub use password::{HashFault, hash_password, hashes_done};
pub use reach::{Reached, reach};
pub use reinstate::reinstate_mobile;
pub use routes::routes;
pub use store::{TokenPurpose, account_of_person, forget_old_tokens, person_of};
