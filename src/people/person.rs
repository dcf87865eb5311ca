//! A person.

use super::contact::ContactKind;
use crate::values::Id;
use crate::values::Language;
use crate::values::PersonName;
use crate::values::of;

/// A person as the database knows them.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their identifier.
    pub id: Id<of::Person>,
    /// Their name; none once erased.
    pub name: Option<PersonName>,
    /// The language they are written to in.
    pub language: Language,
    /// Raised with every change.
    pub version: i64,
}
/// A person to be known.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Their name.
    pub name: PersonName,
    /// The language they are written to in.
    pub language: Language,
}
/// A person who is known at once with contact points that count as verified.
#[derive(Debug, Clone)]
pub struct KnownPerson {
    /// Who.
    pub person: NewPerson,
    /// How they are reached; at most one of a kind.
    pub contacts: Vec<(ContactKind, String)>,
}
