//! Where something belongs, and how far a grant reaches. Covering is equality or membership, nothing cleverer.

use serde::Serialize;

use super::grant::Grant;
use crate::values::Id;
use crate::values::of;

/// Where a thing belongs: exactly one zone, at most one partnership, and the municipalities and provinces it lies in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Place {
    /// The partnership, for what belongs to one.
    pub partnership: Option<Id<of::Partnership>>,
    /// The police zone.
    pub zone: Option<Id<of::Zone>>,
    /// NIS codes.
    pub municipalities: Vec<String>,
    /// Codes of the provinces.
    pub provinces: Vec<String>,
    /// That it exists is public: a refusal is 403, never 404.
    pub known_to_all: bool,
}
impl Place {
    /// The whole country; everybody knows that it exists.
    #[must_use]
    pub fn nation() -> Self {
        Self { known_to_all: true, ..Self::default() }
    }
    /// A police zone; everybody knows that it exists.
    #[must_use]
    pub fn zone(zone: Id<of::Zone>, municipalities: Vec<String>) -> Self {
        Self { zone: Some(zone), municipalities, known_to_all: true, ..Self::default() }
    }
    /// For the record: `partnership:…`, else `zone:…`, else the municipality, else `nation`.
    #[must_use]
    pub fn name(&self) -> String {
        match (self.partnership, self.zone, self.municipalities.first(), self.provinces.first()) {
            (Some(partnership), ..) => format!("partnership:{partnership}"),
            (None, Some(zone), ..) => format!("zone:{zone}"),
            (None, None, Some(nis), _) => format!("municipality:{nis}"),
            (None, None, None, Some(province)) => format!("province:{province}"),
            _ => "nation".to_owned(),
        }
    }
}

/// How far a grant reaches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reach {
    /// Everywhere.
    Nation,
    /// The partnerships that lie in a province.
    Province(String),
    /// The partnerships that lie in a municipality, by NIS code.
    Municipality(String),
    /// A police zone and its partnerships.
    Zone(Id<of::Zone>),
    /// One partnership.
    Partnership(Id<of::Partnership>),
}
impl Reach {
    /// Does it cover this place?
    #[must_use]
    pub fn covers(&self, place: &Place) -> bool {
        match self {
            Self::Nation => true,
            Self::Province(code) => place.provinces.contains(code),
            Self::Municipality(nis) => place.municipalities.contains(nis),
            Self::Zone(zone) => place.zone == Some(*zone),
            Self::Partnership(partnership) => place.partnership == Some(*partnership),
        }
    }
    /// As it is stored: kind and reference.
    #[must_use]
    pub fn stored(&self) -> (&'static str, String) {
        match self {
            Self::Nation => ("nation", "be".to_owned()),
            Self::Province(code) => ("province", code.clone()),
            Self::Municipality(nis) => ("municipality", nis.clone()),
            Self::Zone(zone) => ("zone", zone.to_string()),
            Self::Partnership(partnership) => ("partnership", partnership.to_string()),
        }
    }
    /// Read back from a row.
    #[must_use]
    pub fn restore(kind: &str, reference: &str) -> Option<Self> {
        match kind {
            "nation" => Some(Self::Nation),
            "province" => Some(Self::Province(reference.to_owned())),
            "municipality" => Some(Self::Municipality(reference.to_owned())),
            "zone" => Id::parse(reference).map(Self::Zone),
            "partnership" => Id::parse(reference).map(Self::Partnership),
            _ => None,
        }
    }
}

/// The places an actor may see under one permission: what every list must be given.
#[derive(Debug, Clone)]
pub struct Visible {
    reaches: Vec<Reach>,
}
impl Visible {
    pub(super) fn of<'g>(grants: impl Iterator<Item = &'g Grant>) -> Self {
        let mut reaches: Vec<Reach> = grants.map(|grant| grant.reach.clone()).collect();
        reaches.sort();
        reaches.dedup();
        Self { reaches }
    }
    /// Everything?
    #[must_use]
    pub fn everywhere(&self) -> bool {
        self.reaches.contains(&Reach::Nation)
    }
    /// Nothing at all?
    #[must_use]
    pub fn nowhere(&self) -> bool {
        self.reaches.is_empty()
    }
    /// The partnerships granted one by one.
    #[must_use]
    pub fn partnerships(&self) -> Vec<Id<of::Partnership>> {
        self.reaches
            .iter()
            .filter_map(|reach| if let Reach::Partnership(id) = reach { Some(*id) } else { None })
            .collect()
    }
    /// The zones.
    #[must_use]
    pub fn zones(&self) -> Vec<Id<of::Zone>> {
        self.reaches.iter().filter_map(|reach| if let Reach::Zone(id) = reach { Some(*id) } else { None }).collect()
    }
    /// The municipalities, by NIS code.
    #[must_use]
    pub fn municipalities(&self) -> Vec<String> {
        self.reaches
            .iter()
            .filter_map(|reach| if let Reach::Municipality(nis) = reach { Some(nis.clone()) } else { None })
            .collect()
    }
    /// The provinces, by code.
    #[must_use]
    pub fn provinces(&self) -> Vec<String> {
        self.reaches
            .iter()
            .filter_map(|reach| if let Reach::Province(code) = reach { Some(code.clone()) } else { None })
            .collect()
    }
}
