//! What is mounted here.

use super::actions::{
    AcceptInvitation, AcceptInvitationOnPage, ChangePassword, CompletePasswordReset, CompletePasswordResetOnPage,
    EndSession, EndSessions, ListSessions, ReadMe, RenewSession, RequestPasswordReset, ShowInvitation,
    ShowPasswordReset, SignIn, StepUp,
};
use super::change_password;
use super::choose_password::choose_password;
use super::error::{AccountError, PlainError};
use super::me;
use super::pages;
use super::payloads::{
    ChangePasswordRequest, ChosenPassword, MeView, PageQuery, PasswordForm, PasswordResetRequest, PasswordResetView,
    PathToken, RenewalRequest, SessionView, SessionsQuery, SignInRequest, SignedInView, StepUpRequest, SteppedUpView,
};
use super::request_reset;
use super::sign_in;
use super::step_up;
use super::store::TokenPurpose;
use crate::access::{Authorized, Public, Renewal, Routes};
use crate::access::{end_session, end_sessions, list_sessions, renew_session};
use crate::http::{Answer, Form, Html, Json, Listing, Query, page_limit};
use crate::storage::StorageError;

/// Mounts accounts and sessions.
pub fn routes(routes: &mut Routes<'_>) {
    routes
        .at("/api/v1/sessions", |at| at.post(post_session).get(get_sessions).delete(delete_sessions))
        .at("/api/v1/sessions/renewal", |at| at.post(post_renewal))
        .at("/api/v1/sessions/{session}", |at| at.delete(delete_session))
        .at("/api/v1/step-up", |at| at.post(post_step_up))
        .at("/api/v1/me", |at| at.get(get_me))
        .at("/api/v1/me/password", |at| at.put(put_password))
        .at("/api/v1/password-resets", |at| at.post(post_reset))
        .at("/api/v1/password-resets/completion", |at| at.post(post_reset_completion))
        .at("/api/v1/invitations/acceptance", |at| at.post(post_acceptance))
        .at("/p/invitation/{token}", |at| at.get(get_invitation_page).post(post_invitation_page))
        .at("/p/reset/{token}", |at| at.get(get_reset_page).post(post_reset_page));
}

async fn post_session(
    open: Public<SignIn>,
    Json(asked): Json<SignInRequest>,
) -> Result<Answer<SignedInView, 201>, AccountError> {
    let opened = sign_in::sign_in(&open, asked).await?;
    let token = open.token(opened.account, opened.session);
    Ok(Answer::new(&SignedInView::new(opened, token)))
}
async fn post_renewal(
    open: Public<RenewSession>,
    Json(asked): Json<RenewalRequest>,
) -> Result<Answer<SignedInView>, AccountError> {
    let renewed = open.write(move |tx| renew_session(tx, asked.refresh_token.as_str())).await;
    let opened = match renewed.map_err(|error: StorageError| AccountError::from(error))? {
        Renewal::Renewed(opened) => opened,
        // The end of the session was committed; the answer does not tell a reuse from an unknown token.
        Renewal::Reused(account) => return Err(AccountError::stolen(account)),
        Renewal::Unknown => return Err(AccountError::SessionOver),
    };
    let token = open.token(opened.account, opened.session);
    Ok(Answer::new(&SignedInView::new(opened, token)))
}
async fn get_sessions(
    proof: Authorized<ListSessions>,
    Query(asked): Query<SessionsQuery>,
) -> Result<Listing<SessionView>, PlainError> {
    let limit = page_limit(asked.limit);
    let rows = proof.read(move |tx, proof| {
        let rows = list_sessions(tx, proof.actor().account)?;
        let page = rows.iter().filter(|row| asked.after.is_none_or(|after| row.id < after));
        Ok::<_, PlainError>(page.map(|row| SessionView::new(row, proof.actor().session)).collect())
    });
    Ok(Listing::cut(rows.await?, limit, |row| row.id.to_string()))
}
async fn delete_sessions(proof: Authorized<EndSessions>) -> Result<Answer<(), 204>, PlainError> {
    let done = proof.write(|tx, proof| {
        end_sessions(tx, proof.actor().account, "signed_out_everywhere")?;
        Ok(Answer::new(&()))
    });
    done.await
}
async fn delete_session(proof: Authorized<EndSession>) -> Result<Answer<(), 204>, PlainError> {
    let done = proof.write(|tx, proof| {
        end_session(tx, proof.target().0, "signed_out")?;
        Ok(Answer::new(&()))
    });
    done.await
}
async fn post_step_up(
    proof: Authorized<StepUp>,
    Json(asked): Json<StepUpRequest>,
) -> Result<Answer<SteppedUpView>, AccountError> {
    step_up::step_up(proof, asked).await
}
async fn get_me(proof: Authorized<ReadMe>) -> Result<Answer<MeView>, PlainError> {
    Ok(Answer::new(&proof.read(me::me).await?))
}
async fn put_password(
    proof: Authorized<ChangePassword>,
    Json(asked): Json<ChangePasswordRequest>,
) -> Result<Answer<(), 204>, AccountError> {
    change_password::change_password(proof, asked).await?;
    Ok(Answer::new(&()))
}
async fn post_reset(
    open: Public<RequestPasswordReset>,
    Json(asked): Json<PasswordResetRequest>,
) -> Result<Answer<PasswordResetView, 202>, AccountError> {
    request_reset::request_reset(&open, asked.email).await?;
    Ok(Answer::new(&PasswordResetView::SAME))
}
async fn post_reset_completion(
    open: Public<CompletePasswordReset>,
    Json(chosen): Json<ChosenPassword>,
) -> Result<Answer<(), 204>, AccountError> {
    let token = chosen.token.as_str().to_owned();
    choose_password(&open, TokenPurpose::Reset, token, chosen.password).await?;
    Ok(Answer::new(&()))
}
async fn post_acceptance(
    open: Public<AcceptInvitation>,
    Json(chosen): Json<ChosenPassword>,
) -> Result<Answer<(), 204>, AccountError> {
    let token = chosen.token.as_str().to_owned();
    choose_password(&open, TokenPurpose::Invitation, token, chosen.password).await?;
    Ok(Answer::new(&()))
}
async fn get_invitation_page(
    open: Public<ShowInvitation>,
    PathToken(token): PathToken,
    Query(asked): Query<PageQuery>,
) -> Result<Html, PlainError> {
    Ok(pages::show(&open, TokenPurpose::Invitation, token, asked.lang).await?)
}
async fn post_invitation_page(
    open: Public<AcceptInvitationOnPage>,
    PathToken(token): PathToken,
    Query(asked): Query<PageQuery>,
    Form(filled): Form<PasswordForm>,
) -> Result<Html, PlainError> {
    Ok(pages::take(&open, TokenPurpose::Invitation, token, asked.lang, filled).await?)
}
async fn get_reset_page(
    open: Public<ShowPasswordReset>,
    PathToken(token): PathToken,
    Query(asked): Query<PageQuery>,
) -> Result<Html, PlainError> {
    Ok(pages::show(&open, TokenPurpose::Reset, token, asked.lang).await?)
}
async fn post_reset_page(
    open: Public<CompletePasswordResetOnPage>,
    PathToken(token): PathToken,
    Query(asked): Query<PageQuery>,
    Form(filled): Form<PasswordForm>,
) -> Result<Html, PlainError> {
    Ok(pages::take(&open, TokenPurpose::Reset, token, asked.lang, filled).await?)
}
