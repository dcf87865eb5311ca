//! The proof: what went to the providers is what the police approved.

use std::collections::BTreeMap;

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};
use vigie::app::verify;
use vigie::delivery::{AttemptsProof, Body, ProofVerdict};
use vigie::messages::{MessageProof, prove};
use vigie::storage::schema::{attempts, contents, deliveries, letterheads};
use vigie::values::{Id, of};

use super::{HOUR, approves, burglary, submitted};
use crate::support::post_office::Sms;
use crate::support::{Town, on_both};

type Hashes = BTreeMap<Vec<u8>, usize>;
fn counted(hashes: impl IntoIterator<Item = Vec<u8>>) -> Hashes {
    let mut counts = Hashes::new();
    for hash in hashes {
        *counts.entry(hash).or_default() += 1;
    }
    counts
}
/// What is hashed of an SMS, made here from what the gateway was asked for: number and text, each behind its length in eight
/// bytes, the greatest first.
fn hash_of_sms(sms: &Sms) -> Vec<u8> {
    let mut hasher = Sha256::new();
    for part in [&sms.to, &sms.text] {
        hasher.update(u64::try_from(part.len()).unwrap().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_vec()
}
/// The hashes of all that the mail server and the gateway got, from the bytes that came over the wire.
fn received(town: &Town) -> Hashes {
    let mails = town.post_office.mails().into_iter().map(|mail| Sha256::digest(&mail.bytes).to_vec());
    counted(mails.chain(town.post_office.sms().iter().map(hash_of_sms)))
}
/// The hashes in the books.
async fn written_down(town: &Town) -> Hashes {
    let digests: Vec<Option<Vec<u8>>> = town.db(|tx| Ok(attempts::table.select(attempts::digest).load(tx.db())?)).await;
    counted(digests.into_iter().flatten())
}

/// A text of which every hand-over has something to do: dots at the beginning of lines, long lines, letters that no SMS
/// alphabet has.
fn awkward() -> serde_json::Value {
    let mut body = burglary();
    let long = "Rue de la Loi ".repeat(12);
    body["texts"]["fr"]["body"] = format!(".\n..deux points\n\n{long}\n.fin =?utf-8?q?x?= œuvre €").into();
    body["texts"]["nl"]["body"] = format!("..\n.\n{long}\n.einde").into();
    body["texts"]["fr"]["sms"] = "Cambriolage: œuvre volée à 50 % & 10 € + [code] ~ « là-bas ».".into();
    body
}
async fn proved(town: &Town, message: &str) -> MessageProof {
    let (id, config) = (Id::<of::Message>::from_uuid(message.parse().unwrap()), town.config.clone());
    town.db(move |tx| prove(tx, &config, id)).await.unwrap()
}
fn sum(proof: &MessageProof, what: fn(&AttemptsProof) -> u64) -> u64 {
    proof.batch.attempts.iter().map(|(_, count)| what(count)).sum()
}
/// What the command says last, and with what it ends.
fn ends(proof: &MessageProof) -> (String, u8) {
    (verify::told(proof).lines().last().unwrap().to_owned(), verify::exit_code(proof))
}

/// Accept N1: the hash under the approval, the texts, and the bytes of every mail and SMS, made again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_handed_over_is_what_was_approved() {
    on_both(async |town| {
        let hood = town.neighbourhood(6).await;
        let message = submitted(town, &hood, &hood.coordinator, awkward()).await;
        let unknown = Id::<of::Message>::from_uuid(message.parse().unwrap());
        let config = town.config.clone();
        assert!(town.db(move |tx| prove(tx, &config, unknown)).await.is_none(), "nobody has approved it");
        // One mail has to be repeated: both attempts handed the same text over, at another time.
        town.post_office.smtp.behave(|relay| relay.greylists = true);
        approves(town, &hood.officer, &message).await.expect(202);
        town.delivers_everything().await;
        town.passes(std::time::Duration::from_secs(90));
        town.delivers_everything().await;
        let proof = proved(town, &message).await;
        assert_eq!(proof.verdict, ProofVerdict::Proved, "{proof:?}");
        let count = |what: fn(&AttemptsProof) -> u64| sum(&proof, what);
        assert!(count(|all| all.equal) >= 12 && count(|all| all.nothing_handed_over) > 0, "{proof:?}");
        assert_eq!(count(|all| all.different + all.unsaid + all.forgotten + all.other_edition), 0, "{proof:?}");
        // And the hashes are those of the bytes on the other end of the wire, letters included.
        let (received, written_down) = (received(town), written_down(town).await);
        assert_eq!(received, written_down);
    })
    .await;
}

/// A new name, a new address or another edition of the program is no forgery.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_settings_is_no_forgery() {
    on_both(async |town| {
        let hood = town.neighbourhood(4).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        approves(town, &hood.officer, &message).await.expect(202);
        town.delivers_everything().await;
        let before = proved(town, &message).await;
        let mut config = (*town.config).clone();
        config.email.from_name = "Zone de police".to_owned();
        config.email.from = "other@example.be".to_owned();
        config.email.message_id_domain = "other.example.be".to_owned();
        config.server.public_url = "https://other.example.be".to_owned();
        let id = Id::<of::Message>::from_uuid(message.parse().unwrap());
        let after = town.db(move |tx| prove(tx, &config, id)).await.unwrap();
        assert_eq!((after.verdict, &after.batch.attempts), (ProofVerdict::Proved, &before.batch.attempts), "{after:?}");

        town.db(|tx| Ok(diesel::update(letterheads::table).set(letterheads::edition.eq(0)).execute(tx.db())?)).await;
        let of_old = proved(town, &message).await;
        let mails = sum(&of_old, |count| count.other_edition);
        assert!(mails > 0, "{of_old:?}");
        assert_eq!(sum(&of_old, |count| count.equal) + mails, sum(&before, |count| count.equal));
        assert_eq!(of_old.verdict, ProofVerdict::NotProvable, "no forgery, and no proof either");
    })
    .await;
}

/// What was forgotten proves nothing: nobody is told "proved" of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_no_longer_be_made_again_is_not_called_proved() {
    on_both(async |town| {
        let hood = town.neighbourhood(4).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        approves(town, &hood.officer, &message).await.expect(202);
        let waiting = proved(town, &message).await;
        let (last, code) = ends(&waiting);
        assert!(code == 3 && last.starts_with("not provable: 0 hand-overs"), "nothing was handed over yet: {last}");
        town.delivers_everything().await;
        let whole = proved(town, &message).await;
        let all = sum(&whole, |count| count.equal);
        assert_eq!(ends(&whole), (format!("proved: all {all} hand-overs are, byte for byte, what was approved"), 0));
        assert!(verify::as_json(&whole).unwrap().contains("\"verdict\": \"proved\""));

        // One attempt of which nobody has said what became of it.
        let change = async |outcome: Option<&'static str>, reason: Option<&'static str>| {
            town.db(move |tx| {
                let to_members =
                    deliveries::table.filter(deliveries::membership_id.is_not_null()).select(deliveries::id);
                let to_members = attempts::table.filter(attempts::delivery_id.eq_any(to_members));
                let last: i64 = to_members.select(attempts::id).order(attempts::id.desc()).first(tx.db())?;
                diesel::update(attempts::table.find(last))
                    .set((
                        attempts::digest.eq(None::<Vec<u8>>),
                        attempts::outcome.eq(outcome),
                        attempts::reason.eq(reason),
                    ))
                    .execute(tx.db())?;
                Ok(())
            })
            .await;
            let proof = proved(town, &message).await;
            assert_eq!(sum(&proof, |count| count.equal), all - 1);
            (proof.verdict, sum(&proof, |count| count.unsaid))
        };
        for (outcome, reason) in [
            (None, None),
            (Some("lost"), Some("the lease ran out")),
            (Some("unknown"), Some("timeout")),
            (Some("deferred"), Some("the worker fell over")),
            (Some("refused"), Some("poison")),
        ] {
            assert_eq!(change(outcome, reason).await, (ProofVerdict::NotProvable, 1), "{outcome:?} {reason:?}");
        }
        assert_eq!(change(Some("deferred"), Some("451")).await, (ProofVerdict::Proved, 0));

        // The addresses are forgotten after a week.
        town.passes(8 * 24 * HOUR);
        vigie::worker::minute(&town.database).await.unwrap();
        let forgotten = proved(town, &message).await;
        assert_eq!((sum(&forgotten, |count| count.forgotten), sum(&forgotten, |count| count.equal)), (all - 1, 0));
        let (last, code) = ends(&forgotten);
        assert!(code == 3 && last.contains(&format!("of {} that cannot be said any more", all - 1)), "{last}");
    })
    .await;
}

/// Whatever is changed afterwards, on either end, is found.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_changed_is_found() {
    on_both(async |town| {
        let hood = town.neighbourhood(4).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        approves(town, &hood.officer, &message).await.expect(202);
        town.delivers_everything().await;
        assert_eq!(proved(town, &message).await.verdict, ProofVerdict::Proved);

        // Other bytes than the approved went to one member.
        let one: (i64, Option<Vec<u8>>) = town
            .db(|tx| {
                let to_members =
                    deliveries::table.filter(deliveries::membership_id.is_not_null()).select(deliveries::id);
                let one = attempts::table.filter(attempts::delivery_id.eq_any(to_members));
                let one = one.select((attempts::id, attempts::digest)).order(attempts::id.desc());
                let one: (i64, Option<Vec<u8>>) = one.first(tx.db())?;
                let changed = attempts::table.filter(attempts::id.eq(one.0));
                diesel::update(changed).set(attempts::digest.eq(Some(vec![7_u8; 32]))).execute(tx.db())?;
                Ok(one)
            })
            .await;
        let proof = proved(town, &message).await;
        assert!(proof.verdict == ProofVerdict::DoesNotHold && proof.batch.different.len() == 1, "{proof:?}");
        let (last, code) = ends(&proof);
        assert!(code == 4 && last.starts_with("DOES NOT HOLD: "), "{last}");
        town.db(move |tx| {
            let changed = attempts::table.filter(attempts::id.eq(one.0));
            Ok(diesel::update(changed).set(attempts::digest.eq(one.1)).execute(tx.db())?)
        })
        .await;
        assert_eq!(proved(town, &message).await.verdict, ProofVerdict::Proved);

        // Another text lies in the place of the approved one.
        town.db(|tx| {
            let id: Id<of::Content> = contents::table
                .filter(contents::channel.eq("sms"))
                .filter(
                    contents::batch_id.eq_any(
                        vigie::storage::schema::message_versions::table
                            .select(vigie::storage::schema::message_versions::id)
                            .load::<Id<of::Batch>>(tx.db())?,
                    ),
                )
                .select(contents::id)
                .first(tx.db())?;
            let other = Body { subject: String::new(), text: "All is well.".into(), html: None };
            let sealed = tx.seal(vigie::storage::personal::CONTENTS_BODY, id, &other)?;
            let changed = contents::table.filter(contents::id.eq(id));
            Ok(diesel::update(changed).set(contents::body.eq(Some(sealed))).execute(tx.db())?)
        })
        .await;
        let proof = proved(town, &message).await;
        let different: Vec<AttemptsProof> = proof.batch.attempts.iter().map(|(_, count)| count.clone()).collect();
        assert!(
            proof.verdict == ProofVerdict::DoesNotHold && different.iter().any(|count| count.different > 0),
            "{proof:?}"
        );
    })
    .await;
}
