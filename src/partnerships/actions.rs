//! The verbs of partnerships and mandates, as types.

use super::mandates;
use super::store;
use crate::access::Actor;
use crate::access::Located;
use crate::access::Permission;
use crate::access::Place;
use crate::access::Reach;
use crate::access::Target;
use crate::access::Visible;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::territory;
use crate::territory::Nation;
use crate::territory::ZoneTarget;
use crate::values::Id;
use crate::values::of;

/// A partnership, from `{partnership}` in the path.
#[derive(Debug, Clone, Copy)]
pub struct PartnershipTarget(pub Id<of::Partnership>);
impl Target for PartnershipTarget {
    type Path = Id<of::Partnership>;
    fn locate(
        tx: &mut Tx<'_>,
        _: &Actor,
        _: Permission,
        id: Id<of::Partnership>,
    ) -> Result<Option<Located<Self>>, StorageError> {
        Ok(store::place_of(tx, id)?.map(|place| Located::at(Self(id), place)))
    }
    fn name(&self) -> String {
        format!("partnership:{}", self.0)
    }
}

/// A mandate, from `{mandate}` in the path. That it exists is not public, wherever it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct MandateTarget(pub(super) Id<of::Mandate>);
impl Target for MandateTarget {
    type Path = Id<of::Mandate>;
    fn locate(
        tx: &mut Tx<'_>,
        _: &Actor,
        _: Permission,
        id: Id<of::Mandate>,
    ) -> Result<Option<Located<Self>>, StorageError> {
        let Some(mandate) = mandates::find_mandate(tx, id)? else { return Ok(None) };
        let place = match mandate.reach {
            Reach::Partnership(partnership) => store::place_of(tx, partnership)?,
            Reach::Zone(zone) => territory::find_zone(tx, zone)?.map(|found| Place {
                zone: Some(zone),
                municipalities: found.municipalities,
                ..Place::default()
            }),
            Reach::Municipality(nis) => Some(Place { municipalities: vec![nis], ..Place::default() }),
            Reach::Province(code) => Some(Place { provinces: vec![code], ..Place::default() }),
            Reach::Nation => Some(Place::default()),
        };
        Ok(place.map(|place| Located::at(Self(id), place)))
    }
    fn name(&self) -> String {
        format!("mandate:{}", self.0)
    }
}

crate::actions! {
    CreatePartnership on ZoneTarget: "Enters a partnership that exists, as registered.";
    ListPartnerships on Visible: "The partnerships one may see.";
    ReadPartnership on PartnershipTarget: "A partnership with its perimeter.";
    UpdatePartnership on PartnershipTarget: "Changes a partnership's names, references and municipalities.";
    SetPerimeter on PartnershipTarget: "Draws the perimeter anew; earlier versions are kept.";
    ReadPlan on PartnershipTarget: "The communication plan in force, and the one that waits for a signature.";
    SetPlan on PartnershipTarget: "Writes a communication plan and signs it for the police.";
    SignPlan on PartnershipTarget: "Signs the communication plan for the partnership: it is in force.";
    SetHouseRules on PartnershipTarget: "Lays down a version of the house rules (ROI).";
    ActivatePartnership on PartnershipTarget: "Makes a partnership active when everything is there.";
    SuspendPartnership on PartnershipTarget: "Suspends a partnership, for a reason.";
    AppointInstitution on Nation: "Gives the mandate of an institution.";
    AppointOfficer on ZoneTarget: "Gives an officer a mandate in the zone.";
    NominateInPartnership on PartnershipTarget: "Nominates a coordinator, a deputy or a member of the steering group.";
    RecordScreening on MandateTarget: "Records the outcome of a screening: outcome and dates, nothing else.";
    ConfirmMandate on MandateTarget: "Confirms a nomination: its power begins.";
    EndMandate on MandateTarget: "Ends a mandate: its power is gone at once.";
    ListZoneMandates on ZoneTarget: "Who holds a mandate in the zone.";
    ListPartnershipMandates on PartnershipTarget: "Who holds a mandate in the partnership.";
}
crate::opens! {
    FindPartnerships: "Finds a partnership to join: name, municipalities, how to join.";
    ReadPublicPartnership: "What everybody may know of a partnership, with the numbers to call.";
    ReadPublicHouseRules: "The house rules (ROI) of a partnership, to read before joining.";
}
