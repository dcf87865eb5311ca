//! Persons and the ways to reach them. A person is known once, whatever they are: member, coordinator, officer.

mod contact;
mod person;
mod store;

pub use contact::{Contact, ContactKind, ContactState, Suspension, SuspensionReason};
pub use person::{KnownPerson, NewPerson, Person};
pub use store::{
    CodeOutcome, add_contact, contact_owner, contacts_at, contacts_of, create_known, create_person, find_contact,
    issue_code, load_person, persons_with_contact, reinstate_contact, rename, set_language, suspend_contact, try_code,
    unsuspend_endpoint, verify_contact,
};
