//! The verbs, as types, and what they are done to.

use serde::de::DeserializeOwned;

use super::actor::Actor;
use super::permission::Permission;
use super::place::{Place, Reach, Visible};
use crate::storage::StorageError;
use crate::storage::Tx;

/// A verb, as a type: what it is done to, and which row of the policy decides.
pub trait Action: 'static {
    /// The row of the policy.
    const PERMISSION: Permission;
    /// One sentence for the contract.
    const SUMMARY: &'static str;
    /// What it is done to.
    type Target: Target;
}
/// Verbs as types, each with its summary: the permission of the policy has the same name.
#[macro_export]
macro_rules! actions { ($($name:ident on $target:ty: $summary:literal;)+) => { $(
    #[doc = $summary]
    pub(super) enum $name {}
    impl $crate::access::Action for $name {
        const PERMISSION: $crate::access::Permission = $crate::access::Permission::$name;
        const SUMMARY: &'static str = $summary;
        type Target = $target;
    }
)+ } }

/// Something an action is done to, found from the path of the request.
pub trait Target: Sized + Send + Sync + 'static {
    /// The parameters of the path.
    type Path: DeserializeOwned + Send + 'static;
    /// Finds it with the place it belongs to; `None` when there is no such thing.
    ///
    /// # Errors
    /// When the database fails.
    fn locate(
        tx: &mut Tx<'_>,
        actor: &Actor,
        permission: Permission,
        path: Self::Path,
    ) -> Result<Option<Located<Self>>, StorageError>;
    /// For the record: an identifier, never a name.
    fn name(&self) -> String;
}
/// A target with the place it belongs to.
#[derive(Debug)]
pub struct Located<T> {
    /// The thing.
    pub target: T,
    /// Where it belongs.
    pub place: Place,
    /// Asks for a fresh proof of identity where the policy says "when sensitive".
    pub sensitive: bool,
}
impl<T> Located<T> {
    /// A thing at a place.
    #[must_use]
    pub const fn at(target: T, place: Place) -> Self {
        Self { target, place, sensitive: false }
    }
}

/// The target of what one does about oneself.
#[derive(Debug, Clone, Copy)]
pub struct Own;
impl Target for Own {
    type Path = ();
    fn locate(_: &mut Tx<'_>, _: &Actor, _: Permission, (): ()) -> Result<Option<Located<Self>>, StorageError> {
        Ok(Some(Located::at(Self, Place::nation())))
    }
    fn name(&self) -> String {
        "own".to_owned()
    }
}
/// The target of a list: the places the actor may see. Somebody who may see nothing is refused.
impl Target for Visible {
    type Path = ();
    fn locate(
        _: &mut Tx<'_>,
        actor: &Actor,
        permission: Permission,
        (): (),
    ) -> Result<Option<Located<Self>>, StorageError> {
        let visible = Self::of(actor.grants_for(permission));
        let place =
            actor.grants_for(permission).next().map_or_else(Place::nation, |grant| representative(&grant.reach));
        Ok(Some(Located::at(visible, Place { known_to_all: true, ..place })))
    }
    fn name(&self) -> String {
        "list".to_owned()
    }
}
/// Any place that a reach covers: what a list stands at.
fn representative(reach: &Reach) -> Place {
    match reach {
        Reach::Nation => Place::nation(),
        Reach::Province(code) => Place { provinces: vec![code.clone()], ..Place::default() },
        Reach::Municipality(nis) => Place { municipalities: vec![nis.clone()], ..Place::default() },
        Reach::Zone(zone) => Place { zone: Some(*zone), ..Place::default() },
        Reach::Partnership(partnership) => Place { partnership: Some(*partnership), ..Place::default() },
    }
}
