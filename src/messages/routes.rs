//! What can be done with messages.

use minijinja::context;

use super::actions::{
    AcknowledgeAlarm, ApproveMessage, DiscardMessage, DraftMessage, EditMessage, FollowUpMessage, ListAlarms,
    ListDeadLetters, ListMessages, ListRecipients, PreviewMessage, ReadInbox, ReadMessage, ReadProgress, RejectMessage,
    ReleaseMessage, RequeueDeadLetter, RequeueDeadLetters, ReturnMessage, ReviewMessage, StopMessage, SubmitMessage,
    VerifyMessage, VerifyMessagePage,
};
use super::alarms;
use super::approve::{self, Approver};
use super::dead_letter_payloads::{AlarmFilter, AlarmRow, DeadLetterFilter, DeadLetterRow, Requeued};
use super::dead_letters;
use super::draft::{self, view_now, writing_role};
use super::edit;
use super::error::MessageError;
use super::follow_up;
use super::inbox;
use super::payloads::{
    Approval, ApprovalView, FollowUp, Genuineness, InboxFilter, InboxRow, MessageFilter, MessageReason, MessageRow,
    MessageView, NewMessage, NewTexts, NothingMore, Preview, Progress, RecipientFilter, RecipientRow, Release,
    VerifyPageQuery,
};
use super::preview;
use super::progress;
use super::release;
use super::requeue;
use super::return_or_reject;
use super::review;
use super::stop;
use super::store;
use super::submit;
use super::verify;
use crate::access::Authorized;
use crate::access::Permission;
use crate::access::Public;
use crate::access::Role;
use crate::access::Routes;
use crate::http::Answer;
use crate::http::Html;
use crate::http::IfMatch;
use crate::http::Json;
use crate::http::Listing;
use crate::http::PathText;
use crate::http::Query;
use crate::http::page_limit;
use crate::texts::{self, PageKind};
use crate::values::Language;

/// Mounts messages.
pub fn routes(routes: &mut Routes<'_>) {
    routes
        .at("/api/v1/partnerships/{partnership}/messages", |at| at.get(list).post(draft))
        .at("/api/v1/messages/{message}", |at| at.get(read).delete(discard))
        .at("/api/v1/messages/{message}/texts", |at| at.put(edit))
        .at("/api/v1/messages/{message}/submission", |at| at.post(submit))
        .at("/api/v1/messages/{message}/preview", |at| at.get(preview))
        .at("/api/v1/messages/{message}/approval", |at| at.post(approve))
        .at("/api/v1/messages/{message}/return", |at| at.post(give_back))
        .at("/api/v1/messages/{message}/rejection", |at| at.post(reject))
        .at("/api/v1/messages/{message}/release", |at| at.post(release))
        .at("/api/v1/messages/{message}/stop", |at| at.post(stop))
        .at("/api/v1/messages/{message}/follow-ups", |at| at.post(follow_up))
        .at("/api/v1/messages/{message}/after-review", |at| at.post(review))
        .at("/api/v1/messages/{message}/progress", |at| at.get(progress))
        .at("/api/v1/messages/{message}/recipients", |at| at.get(recipients))
        .at("/api/v1/messages/{message}/dead-letters/requeue", |at| at.post(requeue_all))
        .at("/api/v1/dead-letters", |at| at.get(list_dead_letters))
        .at("/api/v1/dead-letters/{delivery}/requeue", |at| at.post(requeue_one))
        .at("/api/v1/alarms", |at| at.get(list_alarms))
        .at("/api/v1/alarms/{alarm}/acknowledgement", |at| at.post(acknowledge))
        .at("/api/v1/inbox", |at| at.get(inbox))
        .at("/api/v1/verify/{code}", |at| at.get(verify))
        .at("/v/{code}", |at| at.get(verify_page));
}

type Answered<T, const STATUS: u16> = Result<Answer<T, STATUS>, MessageError>;

async fn list(
    proof: Authorized<ListMessages>,
    Query(filter): Query<MessageFilter>,
) -> Result<Listing<MessageRow>, MessageError> {
    proof
        .read(move |tx, proof| {
            let limit = page_limit(filter.limit);
            let is_officer = proof.actor().is_at(Role::Officer, proof.place());
            let rows = store::list(tx, proof.target().0, is_officer, &filter, limit)?;
            Ok(Listing::cut(rows, limit, |row| row.id.to_string()))
        })
        .await
}
async fn draft(proof: Authorized<DraftMessage>, Json(body): Json<NewMessage>) -> Answered<MessageView, 201> {
    proof
        .answer(move |tx, proof| {
            let role = writing_role(tx, proof)?;
            let view = draft::begin(tx, proof.config(), proof.target().0, proof.actor().account, role, body.into())?;
            Ok(Answer::new(&view).version(1).location(format!("/api/v1/messages/{}", view.id)))
        })
        .await
}
async fn read(proof: Authorized<ReadMessage>) -> Answered<MessageView, 200> {
    proof
        .read(|tx, proof| view_now(tx, proof.target().id).map(|(view, version)| Answer::new(&view).version(version)))
        .await
}
async fn discard(proof: Authorized<DiscardMessage>, if_match: IfMatch) -> Answered<(), 204> {
    proof
        .write(move |tx, proof| {
            let role = writing_role(tx, proof)?;
            edit::discard(tx, proof.target().id, proof.actor().account, role, if_match).map(|()| Answer::new(&()))
        })
        .await
}
async fn edit(
    proof: Authorized<EditMessage>,
    if_match: IfMatch,
    Json(body): Json<NewTexts>,
) -> Answered<MessageView, 200> {
    proof
        .write(move |tx, proof| {
            let role = writing_role(tx, proof)?;
            let (view, version) =
                edit::edit(tx, proof.config(), proof.target().id, proof.actor().account, role, if_match, body.texts)?;
            Ok(Answer::new(&view).version(version))
        })
        .await
}
async fn submit(proof: Authorized<SubmitMessage>, _: Json<NothingMore>) -> Answered<MessageView, 202> {
    proof
        .answer(|tx, proof| {
            let role = writing_role(tx, proof)?;
            submit::submit(tx, proof.config(), proof.target().id, proof.actor().account, role)
                .map(|(view, version)| Answer::new(&view).version(version))
        })
        .await
}
async fn preview(proof: Authorized<PreviewMessage>) -> Answered<Preview, 200> {
    proof
        .read(|tx, proof| {
            preview::preview(tx, proof.config(), proof.target().id, proof.may_also(Permission::ListRecipients))
                .map(|view| Answer::new(&view))
        })
        .await
}
async fn approve(proof: Authorized<ApproveMessage>, Json(body): Json<Approval>) -> Answered<ApprovalView, 202> {
    let answer = proof
        .answer(move |tx, proof| {
            let by = Approver { account: proof.actor().account, stepped_up: proof.is_stepped_up() };
            let view = approve::approve(tx, proof.config(), proof.target().id, by, &body)?;
            crate::dies_at!("accept.before_commit");
            Ok(Answer::new(&view).location(format!("/api/v1/messages/{}/progress", proof.target().id)))
        })
        .await;
    crate::dies_at!("accept.after_commit");
    answer
}
async fn give_back(proof: Authorized<ReturnMessage>, Json(body): Json<MessageReason>) -> Answered<MessageView, 200> {
    proof
        .answer(move |tx, proof| {
            return_or_reject::refuse(tx, proof.target().id, proof.actor().account, body.reason.as_str(), false)
                .map(|view| Answer::new(&view))
        })
        .await
}
async fn reject(proof: Authorized<RejectMessage>, Json(body): Json<MessageReason>) -> Answered<MessageView, 200> {
    proof
        .answer(move |tx, proof| {
            return_or_reject::refuse(tx, proof.target().id, proof.actor().account, body.reason.as_str(), true)
                .map(|view| Answer::new(&view))
        })
        .await
}
async fn release(proof: Authorized<ReleaseMessage>, Json(body): Json<Release>) -> Answered<MessageView, 202> {
    proof
        .answer(move |tx, proof| {
            let view = release::release(tx, proof.target().id, proof.actor().account, &body)?;
            Ok(Answer::new(&view).location(format!("/api/v1/messages/{}/progress", proof.target().id)))
        })
        .await
}
async fn stop(proof: Authorized<StopMessage>, Json(body): Json<MessageReason>) -> Answered<MessageView, 200> {
    proof
        .answer(move |tx, proof| {
            let role = writing_role(tx, proof)?;
            stop::stop(tx, proof.target().id, proof.actor().account, role, body.reason.as_str())
                .map(|view| Answer::new(&view))
        })
        .await
}
async fn follow_up(proof: Authorized<FollowUpMessage>, Json(body): Json<FollowUp>) -> Answered<MessageView, 201> {
    proof
        .answer(move |tx, proof| {
            let role = writing_role(tx, proof)?;
            let view = follow_up::follow_up(tx, proof.config(), proof.target().id, proof.actor().account, role, body)?;
            Ok(Answer::new(&view).version(1).location(format!("/api/v1/messages/{}", view.id)))
        })
        .await
}
async fn review(proof: Authorized<ReviewMessage>, _: Json<NothingMore>) -> Answered<MessageView, 200> {
    proof
        .answer(|tx, proof| review::review(tx, proof.target().id, proof.actor().account).map(|view| Answer::new(&view)))
        .await
}
async fn progress(proof: Authorized<ReadProgress>) -> Answered<Progress, 200> {
    proof.read(|tx, proof| progress::progress(tx, proof.target().id).map(|view| Answer::new(&view))).await
}
async fn recipients(
    proof: Authorized<ListRecipients>,
    Query(filter): Query<RecipientFilter>,
) -> Result<Listing<RecipientRow>, MessageError> {
    proof.read(move |tx, proof| progress::recipients(tx, proof.target().id, &filter)).await
}
async fn list_dead_letters(
    proof: Authorized<ListDeadLetters>,
    Query(filter): Query<DeadLetterFilter>,
) -> Result<Listing<DeadLetterRow>, MessageError> {
    proof.read(move |tx, proof| dead_letters::dead_letters(tx, proof.actor(), proof.target(), &filter)).await
}
async fn requeue_one(proof: Authorized<RequeueDeadLetter>, _: Json<NothingMore>) -> Answered<Requeued, 202> {
    proof
        .answer(|tx, proof| {
            let target = *proof.target();
            let done = requeue::requeue(tx, target.message, Some(proof.actor().account), Some(target.delivery))?;
            Ok(Answer::new(&done).location(format!("/api/v1/messages/{}/progress", target.message)))
        })
        .await
}
async fn requeue_all(proof: Authorized<RequeueDeadLetters>, _: Json<NothingMore>) -> Answered<Requeued, 202> {
    proof
        .answer(|tx, proof| {
            let message = proof.target().id;
            let done = requeue::requeue(tx, message, Some(proof.actor().account), None)?;
            Ok(Answer::new(&done).location(format!("/api/v1/messages/{message}/progress")))
        })
        .await
}
async fn list_alarms(
    proof: Authorized<ListAlarms>,
    Query(filter): Query<AlarmFilter>,
) -> Result<Listing<AlarmRow>, MessageError> {
    proof.read(move |tx, proof| alarms::list(tx, proof.target(), &filter)).await
}
async fn acknowledge(proof: Authorized<AcknowledgeAlarm>, _: Json<NothingMore>) -> Answered<AlarmRow, 200> {
    proof
        .answer(|tx, proof| {
            alarms::acknowledge(tx, proof.target().0, proof.actor().account).map(|view| Answer::new(&view))
        })
        .await
}
async fn inbox(
    proof: Authorized<ReadInbox>,
    Query(filter): Query<InboxFilter>,
) -> Result<Listing<InboxRow>, MessageError> {
    proof.read(move |tx, proof| inbox::inbox(tx, proof.actor(), &filter)).await
}
async fn verify(public: Public<VerifyMessage>, code: PathText<16>) -> Answered<Genuineness, 200> {
    public.read(move |tx| verify::verify(tx, code.as_str(), Language::En).map(|view| Answer::new(&view))).await
}
async fn verify_page(
    public: Public<VerifyMessagePage>,
    code: PathText<16>,
    Query(query): Query<VerifyPageQuery>,
) -> Result<Html, MessageError> {
    let language = query.lang.unwrap_or(Language::Fr);
    let found = public.read(move |tx| verify::verify(tx, code.as_str(), language)).await?;
    let sent_at = found.sent_at.map(|at| at.in_belgium().format("%d/%m/%Y %H:%M").to_string());
    let values =
        context! { state => found.state, partnership => found.partnership, zone => found.zone, sent_at => sent_at };
    Ok(Html::ok(texts::page(language, PageKind::Verify, &values)))
}
