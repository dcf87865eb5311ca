//! The verbs of the territory, as types.

use super::store;
use crate::access::Actor;
use crate::access::Located;
use crate::access::Permission;
use crate::access::Place;
use crate::access::Target;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// The whole country: what is done there stands under no other place.
#[derive(Debug, Clone, Copy)]
pub struct Nation;
impl Target for Nation {
    type Path = ();
    fn locate(_: &mut Tx<'_>, _: &Actor, _: Permission, (): ()) -> Result<Option<Located<Self>>, StorageError> {
        Ok(Some(Located::at(Self, Place::nation())))
    }
    fn name(&self) -> String {
        "nation".to_owned()
    }
}

/// A police zone, from `{zone}` in the path.
#[derive(Debug, Clone, Copy)]
pub struct ZoneTarget(pub Id<of::Zone>);
impl Target for ZoneTarget {
    type Path = Id<of::Zone>;
    fn locate(
        tx: &mut Tx<'_>,
        _: &Actor,
        _: Permission,
        id: Id<of::Zone>,
    ) -> Result<Option<Located<Self>>, StorageError> {
        let zone = store::find_zone(tx, id)?;
        Ok(zone.map(|zone| Located::at(Self(id), Place::zone(id, zone.municipalities))))
    }
    fn name(&self) -> String {
        format!("zone:{}", self.0)
    }
}

crate::actions! {
    CreateZone on Nation: "Enters a police zone.";
    ImportZones on Nation: "Enters or changes many police zones from a CSV file: all of it, or nothing.";
    UpdateZone on ZoneTarget: "Changes a zone's names, numbers, hours and policies.";
}
crate::opens! {
    ListRegions: "The regions.";
    ListProvinces: "The provinces; Brussels lies in none.";
    ListMunicipalities: "The municipalities, by NIS code.";
    ListZones: "The police zones.";
    ReadZone: "A police zone: numbers and hours.";
}
