//! A fresh proof of identity: the password again, good for five minutes in this session alone.

use super::actions::StepUp;
use super::error::AccountError;
use super::own_password;
use super::payloads::{StepUpRequest, SteppedUpView};
use crate::access::{Authorized, STEP_UP_LIFE, step_up as note_step_up};
use crate::http::Answer;

/// Compares the password, then notes the proof in the session.
pub(super) async fn step_up(
    proof: Authorized<StepUp>,
    asked: StepUpRequest,
) -> Result<Answer<SteppedUpView>, AccountError> {
    own_password::prove(&proof, asked.password).await?;
    proof
        .answer(move |tx, proof| {
            let at = note_step_up(tx, proof.actor().session)?;
            Ok(Answer::new(&SteppedUpView { stepped_up_until: at.plus(STEP_UP_LIFE) }))
        })
        .await
}
