//! The proof that what members were handed is what the police approved (accept N1): from the hash under the approval, over
//! the texts of every language and channel, to the bytes of every attempt.

use serde::Serialize;

use super::approvals;
use super::render::version_hash;
use super::store;
use super::versions;
use crate::config::Config;
use crate::delivery::{self, BatchProof, Channel, ProofVerdict};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// The proof of one message.
#[derive(Debug, Serialize)]
pub struct MessageProof {
    /// What it all comes to.
    pub verdict: ProofVerdict,
    /// The hash that the officer approved, in hex.
    pub approved: String,
    /// The hash of the version as it is kept, made again.
    pub version: String,
    /// What is kept for each language and channel, and what was handed over.
    #[serde(flatten)]
    pub batch: BatchProof,
    /// A text that was handed over is not the one in the approved version.
    pub strange: Vec<String>,
}
/// Proves a message; `None` when there is none of this number, or nobody has approved it.
///
/// # Errors
/// When the database fails.
pub fn prove(tx: &mut Tx<'_>, config: &Config, id: Id<of::Message>) -> Result<Option<MessageProof>, StorageError> {
    let (Some(loaded), Some((approved, _)), Some(batch)) =
        (store::find(tx, id)?, approvals::approved_under(tx, id)?, approvals::approved_version(tx, id)?)
    else {
        return Ok(None);
    };
    let facts = loaded.message.facts();
    let version = versions::load_version(tx, id, facts.current_version)?;
    let made = version_hash(facts, &version.audience, &version.rendered);
    let proof = delivery::prove(tx, config, batch.uuid())?;
    let mut strange = Vec::new();
    for content in &proof.contents {
        let approved = version.rendered.iter().any(|(language, bodies)| {
            language.as_str() == content.language
                && Channel::ALL.iter().any(|channel| {
                    channel.as_str() == content.channel && bodies.body(*channel).hash() == content.approved
                })
        });
        if !approved {
            strange.push(format!("{} {}", content.language, content.channel));
        }
    }
    let verdict = if approved == made && strange.is_empty() { proof.verdict() } else { ProofVerdict::DoesNotHold };
    Ok(Some(MessageProof { verdict, approved, version: made, batch: proof, strange }))
}
