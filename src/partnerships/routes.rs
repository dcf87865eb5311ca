//! The routes of partnerships and mandates.

use super::actions::{
    ActivatePartnership, AppointInstitution, AppointOfficer, ConfirmMandate, CreatePartnership, EndMandate,
    FindPartnerships, ListPartnershipMandates, ListPartnerships, ListZoneMandates, NominateInPartnership,
    ReadPartnership, ReadPlan, ReadPublicHouseRules, ReadPublicPartnership, RecordScreening, SetHouseRules,
    SetPerimeter, SetPlan, SignPlan, SuspendPartnership, UpdatePartnership,
};
use super::activate;
use super::agree;
use super::appoint;
use super::appoint::Appointment;
use super::end;
use super::error::PartnershipError;
use super::found;
use super::mandate::is_nominated;
use super::mandate_payloads::{
    ConfirmationBody, InstitutionBody, MandateEndBody, MandateQuery, MandateView, NominationBody, OfficerBody,
    ScreeningBody,
};
use super::payloads::{
    ActivationBody, FinderQuery, HouseRulesBody, HouseRulesView, PartnershipBody, PartnershipPatch, PartnershipQuery,
    PartnershipRowView, PartnershipView, PerimeterBody, PlansView, PublicPartnershipRow, PublicPartnershipView,
    SignatureBody, SuspensionBody,
};
use super::perimeter::Polygon;
use super::plan::PlanContent;
use super::rules::{institution_reach, may_nominate};
use super::screen;
use super::show;
use super::store;
use super::store::Wanted;
use crate::access::Action;
use crate::access::Authorized;
use crate::access::Flag;
use crate::access::Place;
use crate::access::Public;
use crate::access::Reach;
use crate::access::Role;
use crate::access::Routes;
use crate::accounts;
use crate::http::Answer;
use crate::http::IfMatch;
use crate::http::Json;
use crate::http::Listing;
use crate::http::PathId;
use crate::http::Query;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::territory;
use crate::values::Id;
use crate::values::of;

type Done<T, const STATUS: u16 = 200> = Result<Answer<T, STATUS>, PartnershipError>;

/// Mounts partnerships and mandates.
pub fn routes(routes: &mut Routes<'_>) {
    routes.at("/api/v1/partnerships", |at| at.get(list));
    routes.at("/api/v1/zones/{zone}/partnerships", |at| at.post(create));
    routes.at("/api/v1/partnerships/{partnership}", |at| at.get(read).patch(update));
    routes.at("/api/v1/partnerships/{partnership}/perimeter", |at| at.put(set_perimeter));
    routes.at("/api/v1/partnerships/{partnership}/communication-plan", |at| at.get(read_plan).put(set_plan));
    routes.at("/api/v1/partnerships/{partnership}/communication-plan/signature", |at| at.post(sign_plan));
    routes.at("/api/v1/partnerships/{partnership}/house-rules", |at| at.post(set_house_rules));
    routes.at("/api/v1/partnerships/{partnership}/activation", |at| at.post(activate_partnership));
    routes.at("/api/v1/partnerships/{partnership}/suspension", |at| at.post(suspend));
    routes.at("/api/v1/partnerships/{partnership}/mandates", |at| at.get(list_in_partnership).post(nominate));
    routes.at("/api/v1/zones/{zone}/mandates", |at| at.get(list_in_zone).post(appoint_officer));
    routes.at("/api/v1/mandates", |at| at.post(appoint_institution));
    routes.at("/api/v1/mandates/{mandate}/screening", |at| at.put(record_screening));
    routes.at("/api/v1/mandates/{mandate}/confirmation", |at| at.post(confirm));
    routes.at("/api/v1/mandates/{mandate}/end", |at| at.post(end_mandate));
    routes.at("/api/v1/public/partnerships", |at| at.get(find_public));
    routes.at("/api/v1/public/partnerships/{partnership}", |at| at.get(read_public));
    routes.at("/api/v1/public/partnerships/{partnership}/house-rules", |at| at.get(read_public_house_rules));
}

async fn list(
    proof: Authorized<ListPartnerships>,
    Query(asked): Query<PartnershipQuery>,
) -> Result<Listing<PartnershipRowView>, PartnershipError> {
    let wanted = Wanted::from(asked);
    proof
        .read(move |tx, proof| {
            let rows = store::list_partnerships(tx, Some(proof.target()), &wanted)?;
            Ok(Listing::cut(rows, wanted.limit, |row| row.id.to_string()).map(show::row))
        })
        .await
}
async fn create(proof: Authorized<CreatePartnership>, Json(body): Json<PartnershipBody>) -> Done<PartnershipView, 201> {
    proof
        .answer(move |tx, proof| {
            let zone = proof.target().0;
            for nis in &body.municipalities {
                proof.also_covers(&Place::zone(zone, vec![nis.clone()]))?;
            }
            let id = found::create_partnership(tx, &body.into_new(zone, proof.actor().account))?;
            Ok(shown(tx, proof, id)?.location(format!("/api/v1/partnerships/{id}")))
        })
        .await
}
/// A partnership after it was read or changed.
fn shown<A: Action, const STATUS: u16>(
    tx: &mut Tx<'_>,
    proof: &Authorized<A>,
    id: Id<of::Partnership>,
) -> Done<PartnershipView, STATUS> {
    let (view, version) = show::partnership(tx, id, proof.actor(), proof.place())?;
    Ok(Answer::new(&view).version(version))
}
async fn read(proof: Authorized<ReadPartnership>) -> Done<PartnershipView> {
    proof.read(|tx, proof| shown(tx, proof, proof.target().0)).await
}
async fn update(
    proof: Authorized<UpdatePartnership>,
    seen: IfMatch,
    Json(body): Json<PartnershipPatch>,
) -> Done<PartnershipView> {
    proof
        .write(move |tx, proof| {
            found::change_partnership(tx, proof.target().0, seen, body.into())?;
            shown(tx, proof, proof.target().0)
        })
        .await
}
async fn set_perimeter(
    proof: Authorized<SetPerimeter>,
    seen: IfMatch,
    Json(body): Json<PerimeterBody>,
) -> Done<PartnershipView> {
    let polygon = Polygon::parse(body.polygon)?;
    proof
        .write(move |tx, proof| {
            found::redraw(tx, proof.target().0, seen, &polygon, proof.actor().account)?;
            shown(tx, proof, proof.target().0)
        })
        .await
}
/// The plans after they were read or changed; their version is the number of the newest.
fn plans<const STATUS: u16>(tx: &mut Tx<'_>, id: Id<of::Partnership>) -> Done<PlansView, STATUS> {
    let (view, number) = show::plans(tx, id)?;
    Ok(Answer::new(&view).version(number))
}
async fn read_plan(proof: Authorized<ReadPlan>) -> Done<PlansView> {
    proof.read(|tx, proof| plans(tx, proof.target().0)).await
}
async fn set_plan(proof: Authorized<SetPlan>, seen: IfMatch, Json(content): Json<PlanContent>) -> Done<PlansView> {
    proof
        .write(move |tx, proof| {
            agree::propose_plan(tx, proof.target().0, seen, &content, proof.actor().account)?;
            plans(tx, proof.target().0)
        })
        .await
}
async fn sign_plan(proof: Authorized<SignPlan>, Json(body): Json<SignatureBody>) -> Done<PlansView, 201> {
    proof
        .answer(move |tx, proof| {
            agree::sign_plan(tx, proof.target().0, body.number, proof.actor().account)?;
            plans(tx, proof.target().0)
        })
        .await
}
async fn set_house_rules(
    proof: Authorized<SetHouseRules>,
    Json(body): Json<HouseRulesBody>,
) -> Done<HouseRulesView, 201> {
    proof
        .answer(move |tx, proof| {
            let by = Some(proof.actor().account);
            let rules = agree::lay_down_house_rules(tx, proof.target().0, body.texts, by)?;
            Ok(Answer::new(&show::house_rules(rules)))
        })
        .await
}
async fn activate_partnership(
    proof: Authorized<ActivatePartnership>,
    Json(ActivationBody {}): Json<ActivationBody>,
) -> Done<PartnershipView> {
    proof
        .answer(|tx, proof| {
            activate::activate(tx, proof.config(), proof.target().0)?;
            shown(tx, proof, proof.target().0)
        })
        .await
}
async fn suspend(proof: Authorized<SuspendPartnership>, Json(body): Json<SuspensionBody>) -> Done<PartnershipView> {
    proof
        .answer(move |tx, proof| {
            activate::suspend(tx, proof.target().0, &body.reason)?;
            shown(tx, proof, proof.target().0)
        })
        .await
}

/// What the letter calls the giver.
fn inviter<A: Action>(tx: &mut Tx<'_>, proof: &Authorized<A>) -> Result<String, StorageError> {
    let giver = accounts::reach(tx, proof.actor().account)?;
    Ok(giver.and_then(|giver| giver.name).map(|name| name.for_letter()).unwrap_or_default())
}
/// A mandate after it was given or changed.
fn mandate<A: Action, const STATUS: u16>(
    tx: &mut Tx<'_>,
    proof: &Authorized<A>,
    id: Id<of::Mandate>,
) -> Done<MandateView, STATUS> {
    let (view, version) = show::mandate(tx, id, show::sees_screenings(proof.actor(), proof.place()))?;
    Ok(Answer::new(&view).version(version))
}
/// The place that the body names must exist.
fn known(tx: &mut Tx<'_>, reach: &Reach) -> Result<(), PartnershipError> {
    let (field, exists) = match reach {
        Reach::Zone(zone) => ("zone", territory::find_zone(tx, *zone)?.is_some()),
        Reach::Municipality(nis) => ("municipality", territory::municipalities_exist(tx, std::slice::from_ref(nis))?),
        Reach::Province(code) => ("province", territory::provinces_exist(tx, std::slice::from_ref(code))?),
        Reach::Nation | Reach::Partnership(_) => ("role", true),
    };
    if exists { Ok(()) } else { Err(PartnershipError::Field(format!("/{field}"), "unknown", "must exist")) }
}
async fn appoint_institution(
    proof: Authorized<AppointInstitution>,
    Json(body): Json<InstitutionBody>,
) -> Done<MandateView, 201> {
    let InstitutionBody { role, zone, municipality, province, holder, until } = body;
    let reach = institution_reach(role, zone, municipality, province).map_err(|(field, code)| {
        let detail = "ZAD names a zone, MUN a municipality, PRV a province, EXP and FED none of them";
        PartnershipError::Field(format!("/{field}"), code, detail)
    })?;
    proof
        .answer(move |tx, proof| {
            known(tx, &reach)?;
            let (invitation, by) = (holder.invited(role, inviter(tx, proof)?), proof.actor().account);
            let given = Appointment { invitation, reach, flags: Vec::new(), until, by };
            let id = appoint::appoint(tx, proof.config(), given)?;
            mandate(tx, proof, id)
        })
        .await
}
async fn appoint_officer(proof: Authorized<AppointOfficer>, Json(body): Json<OfficerBody>) -> Done<MandateView, 201> {
    proof
        .answer(move |tx, proof| {
            let invitation = body.holder.invited(Role::Officer, inviter(tx, proof)?);
            let flags = if body.duty { vec![Flag::Duty] } else { Vec::new() };
            let (reach, by) = (Reach::Zone(proof.target().0), proof.actor().account);
            let given = Appointment { invitation, reach, flags, until: body.until, by };
            let id = appoint::appoint(tx, proof.config(), given)?;
            mandate(tx, proof, id)
        })
        .await
}
/// The roles that the actor has at the place.
fn roles_of<A: Action>(proof: &Authorized<A>) -> Vec<Role> {
    let here = proof.actor().grants.iter().filter(|grant| grant.reach.covers(proof.place()));
    here.map(|grant| grant.role).collect()
}
async fn nominate(
    proof: Authorized<NominateInPartnership>,
    Json(body): Json<NominationBody>,
) -> Done<MandateView, 201> {
    if !is_nominated(body.role) {
        let detail = "must be COO, DEP or STG; other roles are given elsewhere";
        return Err(PartnershipError::Field("/role".to_owned(), "not_nominated_here", detail));
    }
    proof
        .answer(move |tx, proof| {
            may_nominate(&roles_of(proof), body.role)?;
            let invitation = body.holder.invited(body.role, inviter(tx, proof)?);
            let (reach, by) = (Reach::Partnership(proof.target().0), proof.actor().account);
            let given = Appointment { invitation, reach, flags: Vec::new(), until: body.until, by };
            let id = appoint::nominate(tx, proof.config(), given, body.declaration)?;
            mandate(tx, proof, id)
        })
        .await
}
async fn record_screening(
    proof: Authorized<RecordScreening>,
    seen: IfMatch,
    Json(body): Json<ScreeningBody>,
) -> Done<MandateView> {
    proof
        .write(move |tx, proof| {
            screen::record_screening(tx, proof.target().0, seen, body.into(), proof.actor().account)?;
            mandate(tx, proof, proof.target().0)
        })
        .await
}
async fn confirm(proof: Authorized<ConfirmMandate>, Json(body): Json<ConfirmationBody>) -> Done<MandateView> {
    proof
        .answer(move |tx, proof| {
            screen::confirm(tx, proof.target().0, body.members_approval, proof.actor().account)?;
            mandate(tx, proof, proof.target().0)
        })
        .await
}
async fn end_mandate(proof: Authorized<EndMandate>, Json(body): Json<MandateEndBody>) -> Done<MandateView> {
    proof
        .answer(move |tx, proof| {
            let (ender, roles) = (proof.actor().account, roles_of(proof));
            end::end_for(tx, proof.target().0, ender, &roles, &body.reason)?;
            mandate(tx, proof, proof.target().0)
        })
        .await
}
async fn list_in_zone(
    proof: Authorized<ListZoneMandates>,
    Query(asked): Query<MandateQuery>,
) -> Result<Listing<MandateView>, PartnershipError> {
    proof
        .read(move |tx, proof| {
            let sees = show::sees_screenings(proof.actor(), proof.place());
            show::mandates(tx, &Reach::Zone(proof.target().0), &asked, sees)
        })
        .await
}
async fn list_in_partnership(
    proof: Authorized<ListPartnershipMandates>,
    Query(asked): Query<MandateQuery>,
) -> Result<Listing<MandateView>, PartnershipError> {
    proof
        .read(move |tx, proof| {
            let sees = show::sees_screenings(proof.actor(), proof.place());
            show::mandates(tx, &Reach::Partnership(proof.target().0), &asked, sees)
        })
        .await
}

async fn find_public(
    open: Public<FindPartnerships>,
    Query(asked): Query<FinderQuery>,
) -> Result<Listing<PublicPartnershipRow>, PartnershipError> {
    let wanted = Wanted::from(asked);
    open.read(move |tx| {
        let found = store::list_partnerships(tx, None, &wanted)?;
        let page = Listing::cut(found, wanted.limit, |one| one.id.to_string());
        Ok(Listing { items: show::public_rows(tx, page.items)?, next: page.next })
    })
    .await
}
async fn read_public(
    open: Public<ReadPublicPartnership>,
    PathId(id): PathId<of::Partnership>,
) -> Done<PublicPartnershipView> {
    open.read(move |tx| Ok(Answer::new(&show::public(tx, id)?))).await
}
async fn read_public_house_rules(
    open: Public<ReadPublicHouseRules>,
    PathId(id): PathId<of::Partnership>,
) -> Done<HouseRulesView> {
    open.read(move |tx| Ok(Answer::new(&show::public_house_rules(tx, id)?))).await
}
