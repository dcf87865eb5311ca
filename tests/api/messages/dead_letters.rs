//! What did not arrive: seen by those who run the zone, and put back into the queue while it is still of use.

use std::time::Duration;

use diesel::prelude::*;
use serde_json::{Value, json};
use vigie::delivery::Channel;
use vigie::storage::schema::{contact_points, contents, decisions, deliveries, memberships, message_events};
use vigie::values::{Id, Timestamp, of};

use super::{
    HOUR, approves, approves_at_once, at, becomes, burglary, follows, mark, progress, quiet, reached, recipients,
    shows, stops, submits, submitted, with,
};
use crate::support::post_office::AfterMail;
use crate::support::{Desk, Neighbourhood, Reply, Town, on_both};

/// An urgent message that the relay refuses for the first two of four members; the couriers are done with it.
async fn refused_for_two(town: &Town) -> (Neighbourhood, String) {
    let hood = town.neighbourhood(4).await;
    let (one, two) = (hood.members[0].email.clone(), hood.members[1].email.clone());
    town.post_office.smtp.behave(move |relay| relay.refuses.extend([one, two]));
    let message = super::sent(town, &hood, burglary()).await;
    assert_eq!(shows(town, &hood.officer, &message).await.str("/status"), "completed_with_failures");
    (hood, message)
}
async fn mends(town: &Town) {
    town.post_office.smtp.behave(|relay| relay.refuses.clear());
}
async fn list(town: &Town, desk: &Desk, query: &str) -> Vec<Value> {
    desk.gets(town, &format!("/api/v1/dead-letters{query}")).await.expect(200).items().clone()
}
async fn requeues(town: &Town, desk: &Desk, message: &str) -> Reply {
    desk.posts(town, &at(message, "dead-letters/requeue"), json!({})).await
}
async fn requeues_one(town: &Town, desk: &Desk, delivery: i64) -> Reply {
    desk.posts(town, &format!("/api/v1/dead-letters/{delivery}/requeue"), json!({})).await
}
async fn first_dead(town: &Town, hood: &Neighbourhood) -> i64 {
    list(town, &hood.officer, "").await.last().unwrap()["delivery"].as_i64().unwrap()
}
/// Deliveries by state.
async fn states(town: &Town, hood: &Neighbourhood, message: &str) -> Value {
    progress(town, &hood.officer, message).await["states"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn officers_see_initials_administrators_see_none_and_nobody_sees_an_address() {
    on_both(async |town| {
        let (hood, message) = refused_for_two(town).await;
        let rows = list(town, &hood.officer, "").await;
        assert_eq!(rows.len(), 2);
        assert!(rows[0]["delivery"].as_i64() > rows[1]["delivery"].as_i64(), "newest first");
        let row = &rows[1];
        assert_eq!(row["membership"], hood.members[0].membership.to_string());
        assert_eq!((&row["name"], &row["reason"]), (&json!("C. D."), &json!("550 5.1.1")), "{row}");
        assert_eq!(
            (&row["state"], &row["channel"], &row["class"]),
            (&json!("failed"), &json!("email"), &json!("urgent"))
        );
        assert_eq!((&row["attempts"], &row["provider"]), (&json!(1), &json!("smtp")));
        assert_eq!((&row["message"], &row["can_be_requeued"]), (&json!(message), &json!(true)));
        let for_administrators = list(town, &hood.administrator, "").await;
        assert_eq!(for_administrators.len(), 2);
        for row in &for_administrators {
            assert!(row.get("membership").is_none() && row.get("name").is_none(), "{row}");
        }
        for desk in [&hood.officer, &hood.administrator] {
            let page = desk.gets(town, "/api/v1/dead-letters").await;
            assert!(
                !page.text.contains('@') && !page.text.contains("+32") && !page.text.contains("Dubois"),
                "{}",
                page.text
            );
        }
        // Of another zone there is nothing to see; other roles have no such list.
        assert!(list(town, &hood.officer_elsewhere, "").await.is_empty());
        for desk in [&hood.coordinator, &hood.deputy, &hood.steering, &hood.municipality] {
            desk.gets(town, "/api/v1/dead-letters").await.problem(403, "forbidden");
        }
        town.recorder.flush().await;
        let read: i64 = town
            .db(|tx| {
                Ok(decisions::table.filter(decisions::permission.eq("ListDeadLetters")).count().get_result(tx.db())?)
            })
            .await;
        assert!(read >= 5, "who read and who was refused is recorded: {read}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_paged_and_exported() {
    on_both(async |town| {
        let (hood, message) = refused_for_two(town).await;
        let at_failure = town.clock.now();
        town.passes(Duration::from_secs(60));
        // An SMS that expires, of another message.
        town.post_office.gateway.behave(crate::support::post_office::SmsManners::Says(503, "", String::new()));
        mends(town).await;
        let other = super::sent(town, &hood, burglary()).await;
        town.passes(2 * HOUR);
        town.delivers_everything().await;
        let count = async |query: &str| list(town, &hood.officer, query).await.len();
        assert_eq!(count("").await, 6);
        assert_eq!(count("?state=failed").await, 2);
        assert_eq!((count("?state=expired").await, count("?channel=sms").await), (4, 4));
        assert_eq!((count(&format!("?message={message}")).await, count(&format!("?message={other}")).await), (2, 4));
        assert_eq!(count("?reason=550%205.1.1").await, 2);
        assert_eq!(count(&format!("?partnership={}", hood.partnership)).await, 6);
        assert_eq!(count(&format!("?partnership={}", hood.second)).await, 0);
        assert_eq!(
            (count(&format!("?zone={}", hood.zone)).await, count(&format!("?zone={}", hood.elsewhere)).await),
            (6, 0)
        );
        let since = Timestamp::from_micros(at_failure.micros() + 1);
        assert_eq!((count(&format!("?since={at_failure}")).await, count(&format!("?since={since}")).await), (6, 4));
        // Every row once, page by page.
        let (mut seen, mut path) = (Vec::new(), "/api/v1/dead-letters?limit=4".to_owned());
        loop {
            let page = hood.officer.gets(town, &path).await.expect(200);
            seen.extend(page.items().iter().map(|row| row["delivery"].as_i64().unwrap()));
            let Some(next) = page.json["next"].as_str() else { break };
            path = format!("/api/v1/dead-letters?limit=4&after={next}");
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
        let token = hood.officer.token(town);
        let csv =
            town.send("GET", "/api/v1/dead-letters", Some(&token), None, &[("accept", "text/csv")]).await.expect(200);
        assert_eq!(csv.text.lines().count(), 7);
        assert!(csv.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
        assert!(!csv.text.contains('@'), "{}", csv.text);
        for wrong in ["?state=accepted", "?since=yesterday", "?limit=0", "?after=x", "?address=x", "?reason="] {
            let name = wrong.split('=').next().unwrap();
            hood.officer.gets(town, &format!("/api/v1/dead-letters{wrong}")).await.at_fault(name);
        }
    })
    .await;
}

/// The relay is mended, and the officer puts them back: they leave, with the identity they had, and the message is complete.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_leaves_when_it_is_put_back() {
    on_both(async |town| {
        let (hood, message) = refused_for_two(town).await;
        mends(town).await;
        let since = mark(town);
        let done = requeues(town, &hood.administrator, &message).await.expect(202);
        assert_eq!(done.json, json!({ "message": message, "requeued": 2, "left": {} }));
        assert_eq!(done.headers["location"], at(&message, "progress"));
        // Until they have left, nobody may say that it is done (accept M3).
        let counts = progress(town, &hood.officer, &message).await;
        assert_eq!((&counts["status"], &counts["waiting"]), (&json!("dispatching"), &json!(2)));
        town.delivers_everything().await;
        let mut expected = vec![hood.members[0].email.clone(), hood.members[1].email.clone()];
        expected.sort();
        assert_eq!(reached(town, since), (expected, Vec::new()));
        assert_eq!(
            states(town, &hood, &message).await,
            json!({ "email": { "accepted": 4 }, "sms": { "accepted": 4 } })
        );
        assert_eq!(shows(town, &hood.officer, &message).await.str("/status"), "completed");
        // Who did it stands in the trail of the message, and in the record of decisions (accept M20).
        let id: Id<of::Message> = Id::parse(&message).unwrap();
        let (by, permission) = (hood.administrator.account, "RequeueDeadLetters");
        let (trail, decided): (Vec<(String, String, String)>, i64) = town
            .db(move |tx| {
                let trail = message_events::table
                    .filter(message_events::message_id.eq(id))
                    .filter(message_events::account_id.eq(Some(by)))
                    .select((message_events::event, message_events::from_status, message_events::to_status))
                    .load(tx.db())?;
                let decided =
                    decisions::table.filter(decisions::permission.eq(permission)).count().get_result(tx.db())?;
                Ok((trail, decided))
            })
            .await;
        assert_eq!(trail, [("requeued".into(), "completed_with_failures".into(), "dispatching".into())]);
        assert_eq!(decided, 1);
        requeues(town, &hood.officer, &message).await.refused(409, "nothing_dead");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_put_back_alone_and_two_who_do_it_do_it_once() {
    on_both(async |town| {
        let (hood, message) = refused_for_two(town).await;
        let delivery = first_dead(town, &hood).await;
        mends(town).await;
        let path = format!("/api/v1/dead-letters/{delivery}/requeue");
        let token = hood.officer.token(town);
        let key = [("idempotency-key", "once-and-only-once")];
        let first = town.send("POST", &path, Some(&token), Some(&json!({})), &key).await.expect(202);
        let again = town.send("POST", &path, Some(&token), Some(&json!({})), &key).await.expect(202);
        assert_eq!(first.json, again.json);
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(first.json["requeued"], 1);
        requeues_one(town, &hood.second_officer, delivery).await.refused(409, "nothing_dead");
        assert_eq!(states(town, &hood, &message).await["email"], json!({ "accepted": 2, "failed": 1, "queued": 1 }));
        // The other one, by two at the same moment.
        let other = first_dead(town, &hood).await;
        let (a, b) =
            tokio::join!(requeues_one(town, &hood.officer, other), requeues_one(town, &hood.second_officer, other));
        let mut answers = [a.status, b.status];
        answers.sort_unstable();
        assert_eq!(answers, [202, 409], "{} {}", a.text, b.text);
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().iter().filter(|mail| mail.to() == hood.members[0].email).count(), 1);
        // Without a key, with a wrong body, or for what is none.
        let bare = town.raw("POST", &path, Some(&token), &[("content-type", "application/json")], b"{}".to_vec()).await;
        assert_eq!(bare.status(), 400);
        hood.officer.posts(town, &path, json!({ "all": true })).await.at_fault("/all");
        for nothing in ["0", "-1", "999999", "x", "99999999999999999999"] {
            let path = format!("/api/v1/dead-letters/{nothing}/requeue");
            hood.officer.posts(town, &path, json!({})).await.problem(404, "not-found");
        }
    })
    .await;
}

/// The usual cause of a refusal is a wrong address: the corrected one is used, and the old one no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_address_is_the_one_that_is_used() {
    on_both(async |town| {
        let (hood, message) = refused_for_two(town).await;
        let membership = hood.members[0].membership;
        town.db(move |tx| {
            let person: Id<of::Person> =
                memberships::table.find(membership).select(memberships::person_id).first(tx.db())?;
            diesel::update(
                contact_points::table
                    .filter(contact_points::person_id.eq(person))
                    .filter(contact_points::kind.eq("email")),
            )
            .set(contact_points::state.eq("invalid"))
            .execute(tx.db())?;
            let state = vigie::people::ContactState::Verified;
            vigie::people::add_contact(tx, person, vigie::people::ContactKind::Email, "mended@lion.example", state)?;
            Ok(())
        })
        .await;
        let since = mark(town);
        assert_eq!(requeues(town, &hood.officer, &message).await.expect(202).json["requeued"], 2);
        town.delivers_everything().await;
        assert_eq!(reached(town, since).0, ["mended@lion.example"], "the second is refused again");
        assert_eq!(states(town, &hood, &message).await["email"], json!({ "accepted": 3, "failed": 1 }));
    })
    .await;
}

/// It stands at the foot of the ladder again, whatever was tried before.
#[tokio::test(flavor = "multi_thread")]
async fn another_round_begins_at_the_foot_of_the_ladder() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Says("451 4.3.0 later"));
        let message = submitted(town, &hood, &hood.coordinator, quiet("prevention")).await;
        approves_at_once(town, &hood.officer, &message).await.expect(202);
        for _ in 0..4 {
            town.delivers_everything().await;
            town.passes(2 * HOUR);
        }
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Says("550 5.7.1 no"));
        town.passes(15 * HOUR); // 09:00
        town.delivers_everything().await;
        let tried = list(town, &hood.officer, "").await[0]["attempts"].as_i64().unwrap();
        assert!(tried >= 2, "{tried}");
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Says("451 4.3.0 later"));
        requeues(town, &hood.officer, &message).await.expect(202);
        let waits_until = async || {
            let due: Option<Timestamp> = town
                .db(|tx| {
                    Ok(deliveries::table
                        .filter(deliveries::lane.eq(3_i16))
                        .filter(deliveries::due_at.is_not_null())
                        .select(deliveries::due_at)
                        .first(tx.db())?)
                })
                .await;
            due.unwrap().since(town.clock.now())
        };
        assert_eq!(waits_until().await, Duration::ZERO);
        town.courier.round(Channel::Email).await.unwrap();
        let pause = waits_until().await;
        assert!((60..=66).contains(&pause.as_secs()), "a minute, as after a first attempt: {pause:?}");
    })
    .await;
}

/// What is not urgent keeps to the quiet hours, the second time too (M23).
#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_back_at_night_waits_for_the_morning() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let one = hood.members[0].email.clone();
        town.post_office.smtp.behave(move |relay| drop(relay.refuses.replace(one)));
        let message = super::sent(town, &hood, quiet("prevention")).await;
        mends(town).await;
        town.passes(13 * HOUR); // 23:00
        requeues(town, &hood.officer, &message).await.expect(202);
        assert_eq!(states(town, &hood, &message).await["email"], json!({ "planned": 1 }));
        let since = mark(town);
        town.delivers_everything().await;
        assert!(reached(town, since).0.is_empty());
        town.passes(9 * HOUR);
        town.delivers_everything().await;
        assert_eq!(reached(town, since).0.len(), 1);
    })
    .await;
}

/// Every refusal says what to do instead, and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn late_is_worse_than_never() {
    on_both(async |town| {
        let (hood, message) = refused_for_two(town).await;
        let delivery = first_dead(town, &hood).await;
        town.passes(HOUR);
        let refused = requeues(town, &hood.officer, &message).await.refused(409, "validity_over");
        assert!(refused.str("/detail").contains("write a new message"));
        requeues_one(town, &hood.officer, delivery).await.refused(409, "validity_over");
        assert_eq!(list(town, &hood.officer, "").await[0]["can_be_requeued"], false);
        assert_eq!(states(town, &hood, &message).await["email"], json!({ "accepted": 2, "failed": 2 }));
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_kept_cannot_be_sent_again() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let one = hood.members[0].email.clone();
        town.post_office.smtp.behave(move |relay| drop(relay.refuses.replace(one)));
        let lasting = with(quiet("prevention"), "validity_minutes", 20_160);
        let message = super::sent(town, &hood, lasting).await;
        mends(town).await;
        let empties = async |what: Option<Vec<u8>>| {
            town.db(move |tx| Ok(diesel::update(contents::table).set(contents::body.eq(what)).execute(tx.db())?)).await
        };
        let bodies: Vec<(Id<of::Content>, Option<Vec<u8>>)> =
            town.db(|tx| Ok(contents::table.select((contents::id, contents::body)).load(tx.db())?)).await;
        empties(None).await;
        requeues(town, &hood.officer, &message).await.refused(409, "content_gone");
        town.db(move |tx| {
            for (id, body) in bodies {
                diesel::update(contents::table.find(id)).set(contents::body.eq(body)).execute(tx.db())?;
            }
            Ok(())
        })
        .await;
        // Addresses are emptied after seven days (retention); the message is of use for fourteen.
        town.passes(8 * 24 * HOUR);
        vigie::worker::minute(&town.database).await.unwrap();
        let refused = requeues(town, &hood.officer, &message).await.refused(409, "address_gone");
        assert!(refused.str("/detail").contains("write a new message"));
        assert_eq!(list(town, &hood.officer, "").await[0]["can_be_requeued"], false);
    })
    .await;
}
/// Somebody would read yesterday's alarm after its end, or what was corrected as if it were true.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_later_word_made_out_of_date_is_not_sent_again() {
    on_both(async |town| {
        let (hood, corrected) = refused_for_two(town).await;
        let ended = super::sent(town, &hood, burglary()).await;
        mends(town).await;
        for (message, kind) in [(corrected, "correction"), (ended, "end")] {
            let later = follows(town, &hood.officer, &message, kind, "police").await.expect(201).id();
            submits(town, &hood.officer, &later).await.expect(202);
            // As long as it has not left it changes nothing.
            let dead = list(town, &hood.officer, &format!("?message={message}")).await;
            requeues_one(town, &hood.officer, dead[0]["delivery"].as_i64().unwrap()).await.expect(202);
            approves(town, &hood.second_officer, &later).await.expect(202);
            let refused = requeues(town, &hood.officer, &message).await.refused(409, "superseded");
            assert!(refused.str("/detail").contains("write a new message"));
        }
    })
    .await;
}
/// What counts is when it was decided, and not when somebody began to write it.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_was_drafted_first_and_left_last_is_the_last_word() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let start = super::sent(town, &hood, burglary()).await;
        let end = follows(town, &hood.officer, &start, "end", "police").await.expect(201).id();
        let update = follows(town, &hood.officer, &start, "update", "police").await.expect(201).id();
        let one = hood.members[0].email.clone();
        town.post_office.smtp.behave(move |relay| drop(relay.refuses.replace(one)));
        for (later, gap) in [(&update, 60), (&end, 60)] {
            town.passes(Duration::from_secs(gap));
            submits(town, &hood.officer, later).await.expect(202);
            approves(town, &hood.second_officer, later).await.expect(202);
            town.delivers_everything().await;
        }
        requeues(town, &hood.officer, &update).await.refused(409, "superseded");
        requeues(town, &hood.officer, &end).await.expect(202);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn what_was_stopped_stays_stopped() {
    on_both(async |town| {
        let hood = town.neighbourhood(4).await;
        let one = hood.members[0].email.clone();
        town.post_office.smtp.behave(move |relay| drop(relay.refuses.replace(one)));
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        town.delivers_everything().await;
        approves(town, &hood.officer, &message).await.expect(202);
        town.courier.round(Channel::Email).await.unwrap();
        stops(town, &hood.officer, &message).await.expect(200);
        assert_eq!(states(town, &hood, &message).await["email"], json!({ "accepted": 3, "failed": 1 }));
        assert_eq!(states(town, &hood, &message).await["sms"], json!({ "cancelled": 4 }));
        requeues(town, &hood.officer, &message).await.refused(409, "stopped");
        // What was cancelled, or left out, is no dead letter at all.
        assert_eq!(list(town, &hood.officer, "?channel=sms").await.len(), 0);
    })
    .await;
}
/// Whoever left, stopped the channel or has nothing usable gets nothing more; the others do, and the counts say so.
#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_still_wish_to_hear_it_get_it() {
    on_both(async |town| {
        let hood = town.neighbourhood(5).await;
        let all: Vec<String> = hood.members.iter().map(|member| member.email.clone()).collect();
        town.post_office.smtp.behave(move |relay| relay.refuses.extend(all));
        let message = super::sent(town, &hood, burglary()).await;
        mends(town).await;
        let ids: Vec<Id<of::Membership>> = hood.members.iter().map(|member| member.membership).collect();
        super::story::set_status(town, ids[0], "left").await;
        super::story::set_status(town, ids[1], "paused").await;
        let (stopped, unconfirmed) = (ids[2], ids[3]);
        town.db(move |tx| {
            let now = tx.now()?;
            diesel::update(memberships::table.find(stopped))
                .set(memberships::email_stopped_at.eq(Some(now)))
                .execute(tx.db())?;
            let person: Id<of::Person> =
                memberships::table.find(unconfirmed).select(memberships::person_id).first(tx.db())?;
            diesel::update(contact_points::table.filter(contact_points::person_id.eq(person)))
                .set(contact_points::state.eq("invalid"))
                .execute(tx.db())?;
            Ok(())
        })
        .await;
        let rows = list(town, &hood.officer, "").await;
        let of = |member: usize| {
            let wanted = json!(ids[member].to_string());
            rows.iter().find(|row| row["membership"] == wanted).unwrap()["delivery"].as_i64().unwrap()
        };
        for (member, code) in [(0, "member_gone"), (1, "member_gone"), (2, "channel_stopped"), (3, "no_usable_contact")]
        {
            requeues_one(town, &hood.officer, of(member)).await.refused(409, code);
        }
        let since = mark(town);
        let done = requeues(town, &hood.officer, &message).await.expect(202);
        let left = json!({ "member_gone": 2, "channel_stopped": 1, "no_usable_contact": 1 });
        assert_eq!((&done.json["requeued"], &done.json["left"]), (&json!(1), &left));
        town.delivers_everything().await;
        assert_eq!(reached(town, since).0, [hood.members[4].email.clone()]);
        assert_eq!(recipients(town, &hood, &message).await.iter().filter(|row| row.2 == "failed").count(), 4);
    })
    .await;
}
/// Accept M12: who was told that something began is told that it is over, also when they paused since, and the second time
/// too.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_put_back_for_whoever_paused_since() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        let [paused, left, _] = hood.members.as_slice() else { panic!() };
        let message = super::sent(town, &hood, burglary()).await;
        super::story::set_status(town, paused.membership, "paused").await;
        let refused = [paused.email.clone(), left.email.clone()];
        town.post_office.smtp.behave(move |relay| relay.refuses.extend(refused));
        let end = follows(town, &hood.officer, &message, "end", "police").await.expect(201).id();
        submits(town, &hood.officer, &end).await.expect(202);
        approves(town, &hood.second_officer, &end).await.expect(202);
        town.delivers_everything().await;
        mends(town).await;
        super::story::set_status(town, left.membership, "left").await;
        let since = mark(town);
        let done = requeues(town, &hood.officer, &end).await.expect(202);
        assert_eq!((&done.json["requeued"], &done.json["left"]), (&json!(1), &json!({ "member_gone": 1 })));
        town.delivers_everything().await;
        assert_eq!(reached(town, since).0, std::slice::from_ref(&paused.email));
    })
    .await;
}
/// An urgent SMS is not sent at night to those who chose so, the second time neither.
#[tokio::test(flavor = "multi_thread")]
async fn the_choice_of_the_night_holds() {
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        hood.enters(town, |new| new.sms_at_night = false).await;
        town.passes(11 * HOUR + Duration::from_secs(1_800)); // 21:30
        town.post_office.gateway.behave(crate::support::post_office::SmsManners::Says(400, "", "no".to_owned()));
        let message = super::sent(town, &hood, with(burglary(), "validity_minutes", 240)).await;
        town.post_office.gateway.behave(crate::support::post_office::SmsManners::Accepts);
        assert_eq!(states(town, &hood, &message).await["sms"], json!({ "failed": 1 }));
        town.passes(HOUR); // 22:30
        requeues(town, &hood.officer, &message).await.refused(409, "night_choice");
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_partnership_that_may_not_act_sends_nothing_again() {
    on_both(async |town| {
        let (hood, message) = refused_for_two(town).await;
        becomes(town, hood.partnership, "suspended").await;
        requeues(town, &hood.officer, &message).await.refused(409, "partnership_cannot_act");
        becomes(town, hood.partnership, "active").await;
        requeues(town, &hood.officer, &message).await.expect(202);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_run_the_zone_put_anything_back() {
    on_both(async |town| {
        let (hood, message) = refused_for_two(town).await;
        let delivery = first_dead(town, &hood).await;
        let before = super::rows(town).await;
        for desk in [&hood.coordinator, &hood.deputy, &hood.steering] {
            requeues(town, desk, &message).await.problem(403, "forbidden");
            requeues_one(town, desk, delivery).await.problem(403, "forbidden");
        }
        for desk in [&hood.municipality, &hood.officer_elsewhere, &hood.coordinator_of_second] {
            requeues(town, desk, &message).await.problem(404, "not-found");
            requeues_one(town, desk, delivery).await.problem(404, "not-found");
        }
        town.open_post(&at(&message, "dead-letters/requeue"), json!({})).await.problem(401, "not-signed-in");
        assert_eq!(super::rows(town).await, before);
        // A message of which everything arrived, or nothing has left yet.
        let draft = submitted(town, &hood, &hood.coordinator, burglary()).await;
        requeues(town, &hood.officer, &draft).await.refused(409, "submitted");
    })
    .await;
}

/// The same from the command line: depths, dead letters by reason, and another try.
#[tokio::test(flavor = "multi_thread")]
async fn the_console_tells_and_puts_back() {
    on_both(async |town| {
        let (hood, message) = refused_for_two(town).await;
        let told = vigie::app::queue::told(&town.database).unwrap();
        assert!(told.contains("dead letters: 2") && told.contains("2 email failed   550 5.1.1"), "{told}");
        assert!(told.contains("open alarms: 0") && !told.contains('@'), "{told}");
        mends(town).await;
        let id: Id<of::Message> = Id::parse(&message).unwrap();
        assert_eq!(vigie::app::queue::requeued(&town.database, id).unwrap(), "2 on their way again\n");
        let told = vigie::app::queue::told(&town.database).unwrap();
        assert!(
            told.lines()
                .any(|line| line.split_whitespace().collect::<Vec<_>>() == ["email", "urgent", "2", "0", "0", "s"]),
            "{told}"
        );
        town.delivers_everything().await;
        let refused = format!("{:#}", vigie::app::queue::requeued(&town.database, id).unwrap_err());
        assert!(refused.contains("nothing_dead") && refused.contains("look at its progress"), "{refused}");
        assert_eq!(shows(town, &hood.officer, &message).await.str("/status"), "completed");
        assert!(vigie::app::queue::requeued(&town.database, Id::new()).is_err());
    })
    .await;
}
