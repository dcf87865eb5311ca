//! Identifiers: one generic type, `Id<of::Message>`, and the list of everything that has one.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{ContextV7, Timestamp, Uuid};

use super::Clock;

/// What keeps identifiers of the same millisecond in order.
static IN_ORDER: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// The kinds of things that have an identifier: the nouns of the field on one page.
pub mod of {
    macro_rules! kinds { ($($(#[$meta:meta])* $name:ident),+ $(,)?) => { $( $(#[$meta])* #[derive(Debug)] pub enum $name {} )+ } }
    kinds! {
        /// A natural person, whatever they are to a partnership.
        Person,
        /// Somebody who can sign in.
        Account,
        /// One sign-in, from the password to the sign-out.
        Session,
        /// A single-use token sent by mail: invitation or reset.
        AccountToken,
        /// A refresh token of a session.
        RefreshToken,
        /// Power given to an account over a place.
        Grant,
        /// A police zone.
        Zone,
        /// A local prevention partnership (PLP, BIN).
        Partnership,
        /// A version of a perimeter.
        Perimeter,
        /// A version of a communication plan.
        Plan,
        /// A version of the house rules (ROI).
        HouseRules,
        /// A function held in a partnership, a zone or an institution.
        Mandate,
        /// A way to reach a person.
        ContactPoint,
        /// A code sent to a contact point.
        ContactCode,
        /// A person's taking part in a partnership.
        Membership,
        /// A message.
        Message,
        /// An immutable version of a message.
        MessageVersion,
        /// A police officer's approval of one version.
        Approval,
        /// The rendered bytes of one letter or SMS.
        Content,
        /// What was enqueued together: a message version, or one letter.
        Batch,
        /// A courier's hold on deliveries.
        Lease,
        /// An alarm.
        Alarm,
    }
}

/// The identifier of a `K`: a UUID, version 7 when made here.
pub struct Id<K: 'static>(Uuid, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// A new identifier, later in order than those made before it.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "every one is another")]
    pub fn new() -> Self {
        // By the clock that never goes back, and of one millisecond in the order of making.
        let context = IN_ORDER.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Clock::system().now().micros();
        let seconds = u64::try_from(now.div_euclid(1_000_000)).unwrap_or_default();
        let nanos = u32::try_from(now.rem_euclid(1_000_000).saturating_mul(1_000)).unwrap_or_default();
        Self(Uuid::new_v7(Timestamp::from_unix(&*context, seconds, nanos)), PhantomData)
    }
    /// The identifier behind a UUID that came from a row or a path.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }
    /// The UUID itself.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
    /// Reads an identifier; `None` when it is not a UUID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self::from_uuid)
    }
}

/// The text is not an identifier.
#[derive(Debug, thiserror::Error)]
#[error("not an identifier")]
pub struct NotAnId;

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
impl<K> std::str::FromStr for Id<K> {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        Self::parse(text).ok_or(NotAnId)
    }
}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self::from_uuid)
    }
}
impl<K> utoipa::PartialSchema for Id<K> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).into()
    }
}
impl<K> utoipa::ToSchema for Id<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
}
