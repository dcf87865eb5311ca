//! The country as the partnerships see it: regions, provinces, municipalities and police zones.
//!
//! The reference data are the 581 municipalities of 1 January 2020. Mergers since are not in them: every answer says as of
//! when. A municipality lies in one zone at most. Zones are entered by the federal service, one by one or from a file.

mod actions;
mod enter;
mod error;
mod import;
mod payloads;
mod reference;
mod routes;
mod store;
mod zone;

pub use actions::{Nation, ZoneTarget};
pub use enter::create_zone;
pub use error::TerritoryError;
pub use payloads::some_language;
pub use reference::load_reference;
pub use routes::routes;
pub use store::{find_zone, municipalities_exist, municipality_names, provinces_exist, provinces_of, zones_of};
pub use zone::{NewZone, OpeningHours, OpeningSpan, OwnMessage, TimeOfDay, Zone};
