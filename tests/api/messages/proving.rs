//! The proof: what went to the providers is what the police approved.

use diesel::prelude::*;
use vigie::delivery::{AttemptsProof, Body};
use vigie::messages::{MessageProof, prove};
use vigie::storage::schema::{attempts, contents, deliveries, letterheads};
use vigie::values::{Id, of};

use super::{approves, burglary, submitted};
use crate::support::{Town, on_both};

async fn proved(town: &Town, message: &str) -> MessageProof {
    let (id, config) = (Id::<of::Message>::from_uuid(message.parse().unwrap()), town.config.clone());
    town.db(move |tx| prove(tx, &config, id)).await.unwrap()
}

/// Accept N1: the hash under the approval, the texts, and the bytes of every mail and SMS, made again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_handed_over_is_what_was_approved() {
    on_both(async |town| {
        let hood = town.neighbourhood(6).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
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
        assert!(proof.holds(), "{proof:?}");
        let handed_over: u64 = proof.batch.attempts.iter().map(|(_, count)| count.equal).sum();
        let arrived = town.post_office.sms().len() + town.post_office.mails().len();
        assert!(handed_over >= 12 && arrived >= 12, "{proof:?}");
        assert!(
            proof.batch.attempts.iter().all(|(_, count)| count.different == 0 && count.forgotten == 0),
            "{proof:?}"
        );
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
        assert!(after.holds() && after.batch.attempts == before.batch.attempts, "{after:?}");

        town.db(|tx| Ok(diesel::update(letterheads::table).set(letterheads::edition.eq(0)).execute(tx.db())?)).await;
        let of_old = proved(town, &message).await;
        let count = |proof: &MessageProof, what: fn(&AttemptsProof) -> u64| -> u64 {
            proof.batch.attempts.iter().map(|(_, count)| what(count)).sum()
        };
        let mails = count(&of_old, |count| count.other_edition);
        assert!(of_old.holds() && mails > 0, "{of_old:?}");
        assert_eq!(count(&of_old, |count| count.equal) + mails, count(&before, |count| count.equal));
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
        assert!(proved(town, &message).await.holds());

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
        assert!(!proof.holds() && proof.batch.different.len() == 1, "{proof:?}");
        town.db(move |tx| {
            let changed = attempts::table.filter(attempts::id.eq(one.0));
            Ok(diesel::update(changed).set(attempts::digest.eq(one.1)).execute(tx.db())?)
        })
        .await;
        assert!(proved(town, &message).await.holds());

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
        assert!(!proof.holds() && different.iter().any(|count| count.different > 0), "{proof:?}");
    })
    .await;
}
