//! Where members are mounted.

use uuid::Uuid;

use super::actions::{
    AdmitMember, Apply, ClearSuspension, ConfirmContact, ConfirmContactOnPage, EndMembership, EnterMember, HearSms,
    Leave, ListMembers, ReadMember, RefuseMember, RevealContacts, ShowContactPage, ShowLeavePage, ShowMyData,
    ShowUnsubscribePage, UnsubscribeEmail, UpdateMember,
};
use super::asked::{InboundSms, NoFile};
use super::error::MemberError;
use super::payloads::{
    ApplicationReceipt, ApplicationRequest, ContactCode, MemberCorrection, MemberQuery, MemberRefusal, MemberRow,
    MemberView, MembershipEnd, PageLanguage, PaperMember, RevealRequest, RevealedContacts,
};
use super::{admit, apply, confirm, correct, end, enter, inbound, pages, refuse, reveal, show, unreachable};
use crate::access::{Action, Authorized, Linked, Public, Role, Routes};
use crate::http::{Answer, Form, Heard, Html, IfMatch, Json, Listing, PathId, Query};
use crate::people::CodeOutcome;
use crate::values::Id;
use crate::values::of;

/// Mounts the verbs about members and the pages behind their links.
pub fn routes(routes: &mut Routes<'_>) {
    routes
        .at("/api/v1/public/partnerships/{partnership}/applications", |at| at.post(ask_to_join))
        .at("/api/v1/public/contacts/{token}/confirmation", |at| at.post(confirm_contact))
        .at("/api/v1/partnerships/{partnership}/members", |at| at.get(list).post(enter_on_paper))
        .at("/api/v1/members/{member}", |at| at.get(read).patch(update))
        .at("/api/v1/members/{member}/admission", |at| at.post(admit_applicant))
        .at("/api/v1/members/{member}/refusal", |at| at.post(refuse_applicant))
        .at("/api/v1/members/{member}/end", |at| at.post(end_membership))
        .at("/api/v1/members/{member}/contacts-revelation", |at| at.post(reveal_contacts))
        .at("/api/v1/members/{member}/contacts/{contact}/suspension", |at| at.delete(clear_suspension))
        .at("/p/contact/{token}", |at| at.get(contact_page).post(contact_confirmed))
        .at("/p/leave/{token}", |at| at.get(leave_page).post(leave))
        .at("/p/unsubscribe/{token}", |at| at.get(unsubscribe_page).post(unsubscribe))
        .at("/p/my-data/{token}", |at| at.get(my_data))
        .at("/hooks/sms/inbound/{token}", |at| at.get(hear_sms));
}

fn the<K>(subject: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(subject))
}
/// The police may confirm a link with the area that the map does not show (duty M3).
fn by_police<A: Action>(proof: &Authorized<A>) -> bool {
    proof.grant().is_some_and(|grant| grant.role == Role::Officer)
}
fn shown<const STATUS: u16>(view: &MemberView) -> Answer<MemberView, STATUS> {
    Answer::new(view).version(view.version)
}

async fn ask_to_join(
    open: Public<Apply>,
    PathId(partnership): PathId<of::Partnership>,
    Json(body): Json<ApplicationRequest>,
) -> Result<Answer<ApplicationReceipt, 202>, MemberError> {
    apply::ask(&open, body.into_application(partnership)?).await?;
    Ok(Answer::new(&ApplicationReceipt { code_valid_hours: apply::CODE_HOURS }))
}
async fn confirm_contact(
    link: Linked<ConfirmContact>,
    Json(body): Json<ContactCode>,
) -> Result<Answer<(), 204>, MemberError> {
    match link.write(move |tx, contact| confirm::confirm(tx, the(contact), &body.code)).await? {
        CodeOutcome::Right => Ok(Answer::new(&())),
        CodeOutcome::Wrong => Err(MemberError::WrongCode),
        CodeOutcome::Over => Err(MemberError::CodeOver),
    }
}

async fn list(
    proof: Authorized<ListMembers>,
    Query(query): Query<MemberQuery>,
    _: NoFile,
) -> Result<Listing<MemberRow>, MemberError> {
    proof.read(move |tx, proof| show::members(tx, proof.target().0, &query.into())).await
}
async fn enter_on_paper(
    proof: Authorized<EnterMember>,
    Json(body): Json<PaperMember>,
) -> Result<Answer<MemberView, 201>, MemberError> {
    proof
        .answer(move |tx, proof| {
            let (application, paper) = body.into_application(proof.target().0)?;
            let id = enter::enter(tx, &application, paper, proof.actor().account, by_police(proof))?;
            Ok(shown(&show::member(tx, id)?).location(format!("/api/v1/members/{id}")))
        })
        .await
}
async fn read(proof: Authorized<ReadMember>) -> Result<Answer<MemberView>, MemberError> {
    proof.read(|tx, proof| Ok(shown(&show::member(tx, proof.target().0)?))).await
}
async fn update(
    proof: Authorized<UpdateMember>,
    seen: IfMatch,
    Json(body): Json<MemberCorrection>,
) -> Result<Answer<MemberView>, MemberError> {
    proof
        .write(move |tx, proof| {
            let id = proof.target().0;
            correct::correct(tx, id, seen, &body, by_police(proof))?;
            Ok(shown(&show::member(tx, id)?))
        })
        .await
}
async fn admit_applicant(proof: Authorized<AdmitMember>) -> Result<Answer<MemberView>, MemberError> {
    proof
        .answer(|tx, proof| {
            let id = proof.target().0;
            admit::admit(tx, proof.config(), id, by_police(proof))?;
            Ok(shown(&show::member(tx, id)?))
        })
        .await
}
async fn refuse_applicant(
    proof: Authorized<RefuseMember>,
    Json(body): Json<MemberRefusal>,
) -> Result<Answer<MemberView>, MemberError> {
    proof
        .answer(move |tx, proof| {
            let id = proof.target().0;
            refuse::refuse(tx, id, body.reason)?;
            Ok(shown(&show::member(tx, id)?))
        })
        .await
}
async fn end_membership(
    proof: Authorized<EndMembership>,
    Json(body): Json<MembershipEnd>,
) -> Result<Answer<MemberView>, MemberError> {
    proof
        .answer(move |tx, proof| {
            let id = proof.target().0;
            end::end(tx, id, body.reason)?;
            Ok(shown(&show::member(tx, id)?))
        })
        .await
}
async fn reveal_contacts(
    proof: Authorized<RevealContacts>,
    Json(body): Json<RevealRequest>,
) -> Result<Answer<RevealedContacts>, MemberError> {
    proof
        .answer(move |tx, proof| {
            let (id, by) = (proof.target().0, proof.actor().account);
            Ok(Answer::new(&reveal::reveal(tx, proof.config(), id, by, body.reason)?))
        })
        .await
}

async fn clear_suspension(proof: Authorized<ClearSuspension>) -> Result<Answer<MemberView>, MemberError> {
    proof
        .write(|tx, proof| {
            let target = *proof.target();
            unreachable::clear(tx, target.contact)?;
            Ok(shown(&show::member(tx, target.member)?))
        })
        .await
}

async fn contact_page(link: Linked<ShowContactPage>, Query(asked): Query<PageLanguage>) -> Result<Html, MemberError> {
    link.read(move |tx, contact| pages::contact(tx, the(contact), asked.lang)).await
}
async fn contact_confirmed(
    link: Linked<ConfirmContactOnPage>,
    Query(asked): Query<PageLanguage>,
    Form(body): Form<ContactCode>,
) -> Result<Html, MemberError> {
    link.write(move |tx, contact| pages::confirm_contact(tx, the(contact), &body.code, asked.lang)).await
}
async fn leave_page(link: Linked<ShowLeavePage>, Query(asked): Query<PageLanguage>) -> Result<Html, MemberError> {
    link.read(move |tx, member| pages::leaving(tx, the(member), asked.lang)).await
}
async fn leave(link: Linked<Leave>, Query(asked): Query<PageLanguage>) -> Result<Html, MemberError> {
    link.write(move |tx, member| pages::leave(tx, the(member), asked.lang)).await
}
async fn unsubscribe_page(
    link: Linked<ShowUnsubscribePage>,
    Query(asked): Query<PageLanguage>,
) -> Result<Html, MemberError> {
    link.read(move |tx, member| pages::unsubscribing(tx, the(member), asked.lang)).await
}
/// Mail programs post `List-Unsubscribe=One-Click`; whatever they post, it is done (RFC 8058, 3.2).
async fn unsubscribe(link: Linked<UnsubscribeEmail>, Query(asked): Query<PageLanguage>) -> Result<Html, MemberError> {
    link.write(move |tx, member| pages::unsubscribe(tx, the(member), asked.lang)).await
}
async fn my_data(link: Linked<ShowMyData>, Query(asked): Query<PageLanguage>) -> Result<Html, MemberError> {
    let config = link.config().clone();
    link.read(move |tx, member| pages::my_data(tx, &config, the(member), asked.lang)).await
}
async fn hear_sms(link: Linked<HearSms>, sms: InboundSms) -> Result<Heard, MemberError> {
    let config = link.config().clone();
    link.write(move |tx, gateway| inbound::hear(tx, &config, gateway, &sms)).await?;
    Ok(Heard)
}
