//! What `vigie verify` says of a proof, and with which number it ends.

use crate::delivery::{AttemptsProof, ProofVerdict};
use crate::messages::MessageProof;

/// The number the command ends with. 1 is left to whatever keeps it from looking, and 2 to a slip on the command line: a
/// script must not take "could not look" for "forged".
#[must_use]
pub fn exit_code(proof: &MessageProof) -> u8 {
    match proof.verdict {
        ProofVerdict::Proved => 0,
        ProofVerdict::NotProvable => 3,
        ProofVerdict::DoesNotHold => 4,
    }
}

/// The proof as JSON, with its verdict.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn as_json(proof: &MessageProof) -> serde_json::Result<String> {
    serde_json::to_string_pretty(proof).map(|text| text + "\n")
}

/// The proof in words; the last line is what it comes to.
#[must_use]
pub fn told(proof: &MessageProof) -> String {
    let mut lines = vec![format!("approved  {}", proof.approved), format!("version   {}", proof.version)];
    for content in &proof.batch.contents {
        let kept = content.kept.as_deref().unwrap_or("forgotten");
        let verdict = if kept == content.approved { "equal" } else { kept };
        lines.push(format!("{:2} {:5}  {}  {verdict}", content.language, content.channel, content.approved));
    }
    let mut all = AttemptsProof::default();
    for (provider, count) in &proof.batch.attempts {
        lines.push(format!("{provider}: {}", counted(count)));
        all.equal += count.equal;
        all.unsaid += count.unsaid;
        all.forgotten += count.forgotten;
        all.other_edition += count.other_edition;
    }
    lines.push(match proof.verdict {
        ProofVerdict::Proved => {
            format!("proved: all {} hand-overs are, byte for byte, what was approved", all.equal)
        }
        ProofVerdict::NotProvable => format!(
            "not provable: {} hand-overs are what was approved; of {} that cannot be said any more, and of {} nobody has \
             said whether anything was handed over",
            all.equal,
            all.forgotten + all.other_edition,
            all.unsaid
        ),
        ProofVerdict::DoesNotHold => format!(
            "DOES NOT HOLD: something is not what was approved; deliveries and attempts {:?}, texts {:?}",
            proof.batch.different, proof.strange
        ),
    });
    lines.join("\n") + "\n"
}
fn counted(count: &AttemptsProof) -> String {
    format!(
        "{} handed over as approved, {} different, {} with nothing handed over, {} of which nobody has said, {} forgotten, \
         {} by another edition of this program",
        count.equal, count.different, count.nothing_handed_over, count.unsaid, count.forgotten, count.other_edition
    )
}
