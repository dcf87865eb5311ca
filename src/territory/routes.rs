//! The territory's routes.

use super::actions::{
    CreateZone, ImportZones, ListMunicipalities, ListProvinces, ListRegions, ListZones, ReadZone, UpdateZone,
};
use super::enter;
use super::error::TerritoryError;
use super::import;
use super::payloads::{
    ImportView, MunicipalityQuery, MunicipalityView, ProvinceView, RegionView, ZoneBody, ZonePatch, ZoneQuery, ZoneView,
};
use super::store;
use crate::access::Authorized;
use crate::access::Public;
use crate::access::Routes;
use crate::http::Answer;
use crate::http::CsvFile;
use crate::http::IfMatch;
use crate::http::Json;
use crate::http::Listing;
use crate::http::PathId;
use crate::http::Query;
use crate::http::page_limit;
use crate::values::Line;
use crate::values::Localized;
use crate::values::of;

/// Mounts the territory.
pub fn routes(routes: &mut Routes<'_>) {
    routes.at("/api/v1/regions", |at| at.get(list_regions));
    routes.at("/api/v1/provinces", |at| at.get(list_provinces));
    routes.at("/api/v1/municipalities", |at| at.get(list_municipalities));
    routes.at("/api/v1/zones", |at| at.get(list_zones).post(create_zone));
    // Before `{zone}`, which would take the word for an identifier.
    routes.at("/api/v1/zones/imports", |at| at.post(import_zones));
    routes.at("/api/v1/zones/{zone}", |at| at.get(read_zone).patch(update_zone));
}

/// Does one of the names contain this, whatever the case?
fn is_called(names: &Localized<Line<120>>, part: &Line<60>) -> bool {
    let part = part.as_str().to_lowercase();
    names.iter().any(|(_, name)| name.as_str().to_lowercase().contains(&part))
}

async fn list_regions(open: Public<ListRegions>) -> Result<Listing<RegionView>, TerritoryError> {
    let rows = open.read(|tx| Ok::<_, TerritoryError>(store::list_regions(tx)?)).await?;
    Ok(Listing { items: rows.into_iter().map(RegionView::from).collect(), next: None })
}
async fn list_provinces(open: Public<ListProvinces>) -> Result<Listing<ProvinceView>, TerritoryError> {
    let rows = open.read(|tx| Ok::<_, TerritoryError>(store::list_provinces(tx)?)).await?;
    Ok(Listing { items: rows.into_iter().map(ProvinceView::from).collect(), next: None })
}
async fn list_municipalities(
    open: Public<ListMunicipalities>,
    Query(asked): Query<MunicipalityQuery>,
) -> Result<Listing<MunicipalityView>, TerritoryError> {
    let mut rows = open.read(|tx| Ok::<_, TerritoryError>(store::list_municipalities(tx)?)).await?;
    rows.retain(|row| {
        asked.after.as_ref().is_none_or(|after| row.nis > *after)
            && asked.region.as_ref().is_none_or(|region| row.region == *region)
            && asked.province.as_ref().is_none_or(|province| row.province.as_ref() == Some(province))
            && asked.zone.is_none_or(|zone| row.zone == Some(zone))
            && asked.name.as_ref().is_none_or(|part| is_called(&row.names.0, part))
    });
    Ok(Listing::cut(rows, page_limit(asked.limit), |row| row.nis.clone()).map(MunicipalityView::from))
}
async fn list_zones(
    open: Public<ListZones>,
    Query(asked): Query<ZoneQuery>,
) -> Result<Listing<ZoneView>, TerritoryError> {
    let mut rows = open.read(|tx| Ok::<_, TerritoryError>(store::list_zones(tx)?)).await?;
    rows.retain(|zone| {
        asked.after.is_none_or(|after| zone.id > after)
            && asked.number.as_ref().is_none_or(|number| zone.number == *number)
            && asked.municipality.as_ref().is_none_or(|nis| zone.municipalities.contains(nis))
            && asked.name.as_ref().is_none_or(|part| is_called(&zone.names, part))
    });
    Ok(Listing::cut(rows, page_limit(asked.limit), |zone| zone.id.to_string()).map(ZoneView::from))
}
async fn read_zone(open: Public<ReadZone>, PathId(id): PathId<of::Zone>) -> Result<Answer<ZoneView>, TerritoryError> {
    open.read(move |tx| {
        let zone = store::find_zone(tx, id)?.ok_or(TerritoryError::Absent)?;
        let version = zone.version;
        Ok(Answer::new(&ZoneView::from(zone)).version(version))
    })
    .await
}
async fn create_zone(
    proof: Authorized<CreateZone>,
    Json(body): Json<ZoneBody>,
) -> Result<Answer<ZoneView, 201>, TerritoryError> {
    proof
        .answer(move |tx, _| {
            let id = enter::create_zone(tx, &body.into())?;
            let zone = store::find_zone(tx, id)?.ok_or(TerritoryError::Absent)?;
            let version = zone.version;
            Ok(Answer::new(&ZoneView::from(zone)).version(version).location(format!("/api/v1/zones/{id}")))
        })
        .await
}
async fn update_zone(
    proof: Authorized<UpdateZone>,
    seen: IfMatch,
    Json(body): Json<ZonePatch>,
) -> Result<Answer<ZoneView>, TerritoryError> {
    proof
        .write(move |tx, proof| {
            let zone = enter::change_zone(tx, proof.target().0, seen, body.into())?;
            let version = zone.version;
            Ok(Answer::new(&ZoneView::from(zone)).version(version))
        })
        .await
}
async fn import_zones(
    proof: Authorized<ImportZones>,
    CsvFile(text): CsvFile,
) -> Result<Answer<ImportView, 201>, TerritoryError> {
    let rows = import::read_file(&text).map_err(TerritoryError::Import)?;
    proof
        .answer(move |tx, _| {
            let imported = import::import_zones(tx, rows)?;
            Ok(Answer::new(&ImportView { created: imported.created, updated: imported.updated }))
        })
        .await
}
