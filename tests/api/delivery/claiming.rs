//! Claims and leases: who may hand over what, and when.

use std::time::Duration;

use diesel::prelude::*;
use uuid::Uuid;
use vigie::delivery::retry::Verdict;
use vigie::delivery::{
    Carrier, Channel, Claimed, Contents, LEASE, Lane, Settlement, State, Wanted, cancel, claim, renew, settle,
};
use vigie::storage::schema::{attempts, deliveries};

use super::desk::{
    HOUR, attempts_of, claims, holds, mail, post, reasons_name_nobody, recipients, row, rows, settled_as, states, takes,
};
use crate::support::database::Kind;
use crate::support::{Town, on_both};

/// Accept M8; ruling 16: a correction overtakes what it corrects.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_leaves_before_the_urgent_and_the_urgent_before_the_rest() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = Town::start_with(kind, |config| config.email.connections = 1).await;
        post(&town, Channel::Email, Lane::NonUrgent, "news", 2, HOUR).await;
        post(&town, Channel::Email, Lane::Letter, "code", 2, HOUR).await;
        post(&town, Channel::Email, Lane::Urgent, "urgent", 2, HOUR).await;
        post(&town, Channel::Email, Lane::Correction, "correction", 2, HOUR).await;
        town.courier.round(Channel::Email).await.unwrap();
        let order: Vec<String> =
            town.post_office.mails().iter().map(|mail| mail.to().replace("@example.be", "")).collect();
        assert_eq!(
            order,
            ["correction1", "correction2", "urgent1", "urgent2", "code1", "code2", "news1", "news2"],
            "on {kind:?}"
        );
        town.close().await;
    }
}

/// Accept M6.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_stands_in_the_books_before_anybody_is_called() {
    on_both(async |town| {
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 3, HOUR).await;
        let (_, claimed) = claims(town, Channel::Email, 10).await;
        assert_eq!(claimed.len(), 3);
        assert_eq!(states(town, batch).await, [(State::Attempting, 3)].into());
        let open: Vec<(i32, String)> = town
            .db(|tx| {
                Ok(attempts::table
                    .filter(attempts::finished_at.is_null())
                    .select((attempts::number, attempts::provider))
                    .load(tx.db())?)
            })
            .await;
        assert_eq!(open, vec![(1, "other".to_owned()); 3]);
        assert_eq!(town.post_office.mails().len(), 0);
    })
    .await;
}

/// Accept M5: recovery and fencing.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ran_out_is_taken_over_and_the_late_answer_changes_nothing() {
    on_both(async |town| {
        let batch = mail(town).await;
        let (zombie, held) = claims(town, Channel::Email, 10).await;
        town.passes(LEASE - Duration::from_secs(1));
        assert_eq!(claims(town, Channel::Email, 10).await.1.len(), 0, "still leased");
        town.passes(Duration::from_secs(1));
        let (_, taken) = claims(town, Channel::Email, 10).await;
        assert_eq!((taken.len(), taken[0].id, taken[0].attempt), (1, held[0].id, 2));
        let delivery = held[0].id;
        assert_eq!(attempts_of(town, delivery).await[0].0.as_deref(), Some("lost"));

        let late = settled_as(&held[0], Verdict::Final(State::Failed, Some("550".into())));
        assert_eq!(town.db(move |tx| settle(tx, &[late])).await, 0);
        assert_eq!(town.db(move |tx| renew(tx, zombie, &[delivery])).await, Vec::<i64>::new());
        assert_eq!(row(town, batch).await.state, State::Attempting);
        assert_eq!(attempts_of(town, delivery).await[0].0.as_deref(), Some("accepted"), "its answer is kept");

        let answer = settled_as(&taken[0], Verdict::Final(State::Accepted, None));
        assert_eq!(town.db(move |tx| settle(tx, &[answer])).await, 1);
        let late = settled_as(&held[0], Verdict::Final(State::Failed, Some("550".into())));
        assert_eq!(town.db(move |tx| settle(tx, &[late])).await, 0);
        assert_eq!((row(town, batch).await.state, row(town, batch).await.attempts), (State::Accepted, 2));
    })
    .await;
}

/// Accept M5: an answer is of an attempt; the answer to an earlier one in the same transaction is late all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_beside_the_valid_one_is_not_taken_for_it() {
    on_both(async |town| {
        let batch = mail(town).await;
        let (_, held) = claims(town, Channel::Email, 1).await;
        town.passes(LEASE);
        let (_, taken) = claims(town, Channel::Email, 1).await;
        assert_eq!((held[0].attempt, taken[0].attempt), (1, 2));
        let now = town.clock.now();
        let late = settled_as(&held[0], Verdict::Again(State::Queued, now, "not tried".into()));
        let answers =
            [Settlement { tried: false, ..late }, settled_as(&taken[0], Verdict::Final(State::Accepted, None))];
        assert_eq!(town.db(move |tx| settle(tx, &answers)).await, 1);
        let given_back: (i32, Option<String>) = town
            .db(|tx| Ok(deliveries::table.select((deliveries::untried, deliveries::provider)).first(tx.db())?))
            .await;
        assert_eq!((row(town, batch).await.state, given_back), (State::Accepted, (0, Some("other".to_owned()))));
    })
    .await;
}

/// SKIP LOCKED: whoever is in the middle of a claim holds nobody up, and nobody gets the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_in_progress_on_another_node_is_stepped_around() {
    let town = Town::start(Kind::Postgres).await;
    post(&town, Channel::Email, Lane::Urgent, "member", 6, HOUR).await;
    let of = |claimed: Vec<Claimed>| claimed.iter().map(|claimed| claimed.id).collect::<Vec<i64>>();
    let (first, commits) = holds(&town, |tx| takes(tx, Uuid::nil(), Channel::Email, 3, "slow"));
    let (first, second) = (of(first), of(claims(&town, Channel::Email, 10).await.1));
    commits();
    assert_eq!((first.len(), second.len()), (3, 3));
    assert!(first.iter().all(|id| !second.contains(id)));
    town.close().await;
}

/// Nobody was called: it is no reason to wait longer the next time, nor to leave the preferred provider.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_tried_takes_no_step_of_the_ladder() {
    on_both(async |town| {
        let batch = mail(town).await;
        let untried = |claimed: &Claimed, now| Settlement {
            tried: false,
            ..settled_as(claimed, Verdict::Again(State::Queued, now, "not tried".into()))
        };
        let now = town.clock.now();
        let (_, held) = claims(town, Channel::Email, 10).await;
        let back = untried(&held[0], now);
        assert_eq!(town.db(move |tx| settle(tx, &[back])).await, 1);
        let (_, held) = claims(town, Channel::Email, 10).await;
        assert_eq!((held[0].attempt, held[0].untried), (2, 1));
        let again = now.plus(Duration::from_secs(1));
        let deferred = settled_as(&held[0], Verdict::Again(State::Unknown, again, "no answer".into()));
        assert_eq!(town.db(move |tx| settle(tx, &[Settlement { outcome: "unknown", ..deferred }])).await, 1);
        town.passes(Duration::from_secs(1));
        let (_, held) = claims(town, Channel::Email, 10).await;
        assert_eq!(
            (held[0].attempt, held[0].untried, held[0].unanswered),
            (3, 1, 1),
            "an attempt that was tried counts"
        );
        let back = untried(&held[0], town.clock.now());
        assert_eq!(town.db(move |tx| settle(tx, &[back])).await, 1);
        let (_, held) = claims(town, Channel::Email, 10).await;
        assert_eq!((held[0].untried, held[0].unanswered), (2, 1));
        assert_eq!(row(town, batch).await.attempts, 4);
    })
    .await;
}

/// What is over is called so in portions: a night's newsletter that nobody carried must not be one transaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_ends_no_more_than_it_was_asked_for() {
    on_both(async |town| {
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 7, HOUR).await;
        town.passes(HOUR);
        let fresh = post(town, Channel::Email, Lane::Urgent, "fresh", 1, HOUR).await;
        let of = [Carrier { provider: "one", pressing: 3, patient: 3 }];
        for (left, cut_short, held) in [(4, true, 0), (1, true, 0), (0, true, 1), (0, false, 0)] {
            let contents = Contents::default();
            let taken = town
                .db(move |tx| {
                    let wanted = Wanted {
                        channel: Channel::Email,
                        limit: 3,
                        patient: 3,
                        carriers: &of,
                        contents: &contents,
                        letterhead: 0,
                    };
                    claim(tx, Uuid::from_u128(9), wanted)
                })
                .await;
            assert_eq!((taken.cut_short, taken.claimed.len()), (cut_short, held));
            assert_eq!(states(town, batch).await.get(&State::Queued).copied().unwrap_or_default(), left);
        }
        assert_eq!(states(town, fresh).await, [(State::Attempting, 1)].into());
    })
    .await;
}

/// One lease that was lost among many takes no other along.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_of_life_says_what_is_still_held() {
    on_both(async |town| {
        post(town, Channel::Email, Lane::Urgent, "member", 2, HOUR).await;
        let (lease, held) = claims(town, Channel::Email, 2).await;
        let ids = [held[0].id, held[1].id];
        let taken = settled_as(&held[0], Verdict::Final(State::Accepted, None));
        town.db(move |tx| settle(tx, &[taken])).await;
        assert_eq!(town.db(move |tx| renew(tx, lease, &ids)).await, [ids[1]]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_shows_a_sign_of_life_keeps_its_lease() {
    on_both(async |town| {
        mail(town).await;
        let (lease, held) = claims(town, Channel::Email, 10).await;
        let delivery = held[0].id;
        for _ in 0..5 {
            town.passes(Duration::from_secs(10));
            assert_eq!(town.db(move |tx| renew(tx, lease, &[delivery])).await, [delivery]);
            assert_eq!(claims(town, Channel::Email, 10).await.1.len(), 0);
        }
        town.passes(LEASE);
        assert_eq!(claims(town, Channel::Email, 10).await.1.len(), 1);
    })
    .await;
}

/// Accept M8: never sent after its validity.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_expires_unsent_and_holds_nobody_up() {
    on_both(async |town| {
        let stale = post(town, Channel::Email, Lane::Urgent, "stale", 250, Duration::from_secs(60)).await;
        town.passes(Duration::from_secs(60));
        let fresh = post(town, Channel::Email, Lane::Urgent, "fresh", 1, HOUR).await;
        assert_eq!(town.courier.round(Channel::Email).await.unwrap(), 1, "one round, whatever lies in front");
        assert_eq!(states(town, stale).await, [(State::Expired, 250)].into());
        assert_eq!(states(town, fresh).await, [(State::Accepted, 1)].into());
        assert_eq!(recipients(town), ["fresh1@example.be".to_owned()].into());
    })
    .await;
}

/// Accept M5, M8: its courier may have handed it over before it died, so nobody says that it was never sent.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_when_its_courier_died_is_not_called_unsent_after_its_validity() {
    on_both(async |town| {
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 2, HOUR).await;
        let (_, held) = claims(town, Channel::Email, 1).await;
        town.passes(HOUR);
        town.delivers_everything().await;
        assert_eq!(states(town, batch).await, [(State::Accepted, 1), (State::Expired, 1)].into());
        let dead = rows(town, batch).await.into_iter().find(|row| row.id == held[0].id).unwrap();
        assert_eq!((dead.state, dead.reason.as_deref()), (State::Accepted, Some("no answer: validity_over")));
        assert!(dead.settled_at.is_some());
        let attempts = attempts_of(town, dead.id).await;
        assert_eq!(attempts, [(Some("lost".to_owned()), Some("the lease ran out".to_owned()))]);
        assert_eq!(town.post_office.mails().len(), 0, "nothing leaves after its validity");
        reasons_name_nobody(town).await;
    })
    .await;
}

/// Accept M12: what was not handed over is not, what a courier holds is settled, and the sum is right.
#[tokio::test(flavor = "multi_thread")]
async fn stopping_leaves_nothing_to_hand_over_and_the_counts_add_up() {
    on_both(async |town| {
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 10, HOUR).await;
        let (_, held) = claims(town, Channel::Email, 4).await;
        assert_eq!(town.db(move |tx| cancel(tx, batch, "stopped")).await, 6);
        assert_eq!(town.db(move |tx| cancel(tx, batch, "stopped")).await, 0, "a second stop finds nothing");
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().len(), 0);
        let answers: Vec<_> =
            held.iter().map(|claimed| settled_as(claimed, Verdict::Final(State::Accepted, None))).collect();
        assert_eq!(town.db(move |tx| settle(tx, &answers)).await, 4);
        assert_eq!(states(town, batch).await, [(State::Accepted, 4), (State::Cancelled, 6)].into());
        assert!(rows(town, batch).await.iter().all(|row| row.settled_at.is_some()));
        town.passes(HOUR);
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().len(), 0);
    })
    .await;
}

/// Accept M12: what is under way during a stop is not tried again, and whoever may have got it gets the correction.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_during_a_stop_is_not_tried_again() {
    on_both(async |town| {
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 4, HOUR).await;
        let (_, held) = claims(town, Channel::Email, 3).await;
        assert_eq!(town.db(move |tx| cancel(tx, batch, "stopped")).await, 1);
        let soon = town.clock.now().plus(Duration::from_secs(1));
        let answers = vec![
            settled_as(&held[0], Verdict::Again(State::Deferred, soon, "451".into())),
            settled_as(&held[1], Verdict::Again(State::Unknown, soon, "mail sent".into())),
            settled_as(&held[2], Verdict::Final(State::Accepted, None)),
        ];
        assert_eq!(town.db(move |tx| settle(tx, &answers)).await, 3);
        assert_eq!(states(town, batch).await, [(State::Accepted, 2), (State::Cancelled, 2)].into());
        let unanswered = rows(town, batch).await.into_iter().find(|row| row.id == held[1].id).unwrap();
        assert_eq!((unanswered.state, unanswered.reason.as_deref()), (State::Accepted, Some("no answer: stopped")));
        town.passes(HOUR);
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().len(), 0);
    })
    .await;
}

/// One damaged row must not stop the queue, and the wrong key file must not throw the queue away.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_holds_nobody_up() {
    on_both(async |town| {
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 5, HOUR).await;
        let broken = rows(town, batch).await[0].id;
        let sealed: Option<Vec<u8>> = town
            .db(move |tx| {
                let one = deliveries::table.filter(deliveries::id.eq(broken));
                let sealed = one.select(deliveries::address).first(tx.db())?;
                diesel::update(one).set(deliveries::address.eq(Some(vec![1_u8; 40]))).execute(tx.db())?;
                Ok(sealed)
            })
            .await;
        assert_eq!(town.courier.round(Channel::Email).await.unwrap(), 4);
        assert_eq!(states(town, batch).await, [(State::Accepted, 4), (State::Deferred, 1)].into());
        assert_eq!(rows(town, batch).await[0].reason.as_deref(), Some("unreadable"));
        // With the right key file again, it goes out.
        town.db(move |tx| {
            let one = deliveries::table.filter(deliveries::id.eq(broken));
            diesel::update(one).set(deliveries::address.eq(sealed)).execute(tx.db())?;
            Ok(())
        })
        .await;
        town.passes(Duration::from_secs(60));
        town.delivers_everything().await;
        assert_eq!(states(town, batch).await, [(State::Accepted, 5)].into());
        reasons_name_nobody(town).await;
    })
    .await;
}
