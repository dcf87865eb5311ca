//! The story from beginning to end.

use serde_json::{Value, json};
use vigie::delivery::{leave_url, unsubscribe_url};
use vigie::texts::{LEAVE_PLACEHOLDER, UNSUBSCRIBE_PLACEHOLDER};

use super::{approval, at, burglary, drafts, follows, mark, preview, progress, reached, read, submits, texts};
use super::{approves, approves_at_once};
use crate::support::{Neighbourhood, Town, on_both};

fn language<'a>(preview: &'a Value, language: &str) -> &'a Value {
    preview["languages"].as_array().unwrap().iter().find(|shown| shown["language"] == language).unwrap()
}
/// The officers hear that something waits, by mail and SMS, and nothing of what it says (duties C9, P6).
fn officers_were_told(town: &Town, hood: &Neighbourhood) {
    let mails = town.post_office.mails();
    for officer in [&hood.officer, &hood.second_officer] {
        let notices: Vec<_> = mails.iter().filter(|mail| mail.to() == officer.email).collect();
        assert_eq!(notices.len(), 1, "one notice for {}", officer.email);
        let (subject, text, html) = read(notices[0]);
        assert!(text.contains("/api/v1/inbox"), "{text}");
        for said in ["rue du Lion", "Leeuwstraat", "Restez", "Blijf", "Cambriolage", "Inbraak"] {
            assert!(![&subject, &text, &html].iter().any(|shown| shown.contains(said)), "{said} in {text}");
        }
    }
    let sms = town.post_office.sms();
    assert_eq!(sms.len(), 2, "an SMS for each officer");
    assert!(sms.iter().all(|sms| !sms.text.contains("Cambriolage") && !sms.text.contains("Inbraak")), "{sms:?}");
}
/// Everybody has exactly what the officer saw, but for their own two links (accepts M1, M3, M15; duties C17, M7, M8).
fn everybody_has_what_was_seen(town: &Town, hood: &Neighbourhood, seen: &Value, code: &str) {
    let (mails, sms) = (town.post_office.mails(), town.post_office.sms());
    for member in &hood.members {
        let shown = language(seen, member.language.as_str());
        let letters: Vec<_> = mails.iter().filter(|mail| mail.to() == member.email).collect();
        assert_eq!(letters.len(), 1, "one mail for {}", member.email);
        let keys = town.database.keys();
        let leave = leave_url(&town.config, keys, member.membership);
        let unsubscribe = unsubscribe_url(&town.config, keys, member.membership);
        let own = |pointer: &str| {
            let text = shown[pointer].as_str().unwrap();
            assert_eq!(text.matches(LEAVE_PLACEHOLDER).count(), 1);
            text.replace(LEAVE_PLACEHOLDER, &leave).replace(UNSUBSCRIBE_PLACEHOLDER, &unsubscribe)
        };
        let (subject, text, html) = read(letters[0]);
        assert_eq!(subject, shown["subject"].as_str().unwrap());
        assert_eq!(text, own("text"));
        assert_eq!(html, own("html"));
        assert!(text.contains("101") && text.contains("112") && text.contains(&format!("/v/{code}")), "{text}");
        assert_eq!(letters[0].header("List-Unsubscribe"), Some(format!("<{unsubscribe}>")));
        assert_eq!(letters[0].header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
        let whole = String::from_utf8_lossy(&letters[0].bytes).into_owned();
        for other in hood.members.iter().filter(|other| other.email != member.email) {
            assert!(!whole.contains(&other.email) && !text.contains(&other.email), "members see each other");
            assert!(!text.contains(&leave_url(&town.config, keys, other.membership)), "somebody else's link");
        }
        let texts: Vec<_> = sms.iter().filter(|sms| sms.to == member.mobile).collect();
        assert_eq!(texts.len(), 1, "one SMS for {}", member.mobile);
        assert_eq!(texts[0].text, shown["sms"].as_str().unwrap());
        assert!(texts[0].text.contains("101/112") && texts[0].text.contains(&format!("/v/{code}")));
    }
    assert_eq!(reached(town, (0, 0)).0.len(), hood.members.len(), "and nobody else");
}
fn sum(counts: &Value, states: &[&str]) -> i64 {
    counts["states"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|channel| states.iter().map(|state| channel[*state].as_i64().unwrap_or(0)))
        .sum()
}
/// Planned = handed over + left out + failed + expired + cancelled (accept M3).
fn counts_add_up(counts: &Value) {
    let handed = sum(counts, &["accepted", "at_operator", "at_handset", "acknowledged"]);
    let rest = sum(counts, &["suppressed", "failed", "expired", "cancelled"]);
    assert_eq!(counts["planned"].as_i64().unwrap(), handed + rest, "{counts}");
    let by_channel: i64 = counts["handed_over"].as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum();
    assert_eq!(by_channel, handed, "{counts}");
    assert_eq!(counts["waiting"], 0, "{counts}");
}
/// The code is genuine to whoever asks, and never says what the message says (accept M13 for the word `exercise`).
async fn anybody_may_check(town: &Town, code: &str, state: &str) {
    let answer = town.open_get(&format!("/api/v1/verify/{code}")).await.expect(200);
    assert_eq!(answer.str("/state"), state);
    assert!(answer.str("/partnership").contains("Lion") && answer.str("/zone").contains("Lion"));
    let page = town.open_get(&format!("/v/{code}?lang=fr")).await.expect(200);
    assert!(page.text.contains("PLP Lion"), "{}", page.text);
    for said in ["Cambriolage", "Restez", "rue du Lion"] {
        assert!(!page.text.contains(said) && !answer.text.contains(said), "{said}");
    }
}

/// Duties C8, C9, C16, C17, C19, M7, M8, P3, P6, P7; accepts M1, M2, M3, M4, M7, M12, M14, M15.
#[tokio::test(flavor = "multi_thread")]
async fn an_urgent_message_goes_from_the_coordinator_by_the_police_to_every_member() {
    on_both(async |town| {
        let hood = town.neighbourhood(12).await;
        let paused = hood.enters(town, |_| {}).await;
        set_status(town, paused.membership, "paused").await;

        // The coordinator writes and hands over. The message names its source (C8), the answer the numbers (C17, M7).
        let draft = drafts(town, &hood, &hood.coordinator, burglary()).await.expect(201);
        assert_eq!((draft.str("/source"), draft.str("/emergency")), ("member_report".into(), "101 / 112".into()));
        let (message, code) = (draft.id(), draft.str("/short_code"));
        assert_eq!(
            town.open_get(&format!("/api/v1/verify/{code}")).await.expect(200).json,
            json!({ "state": "unknown" })
        );
        town.delivers_everything().await;
        assert_eq!(mark(town), (0, 0), "a draft tells nobody");
        submits(town, &hood.coordinator, &message).await.expect(202);
        town.delivers_everything().await;
        officers_were_told(town, &hood);
        let inbox = hood.officer.gets(town, "/api/v1/inbox?waits_for=approval").await.expect(200);
        assert_eq!(inbox.items().len(), 1);
        assert_eq!((inbox.str("/items/0/message"), inbox.str("/items/0/class")), (message.clone(), "urgent".into()));

        // The officer looks at everything: each language and channel, each one left out, parts and price (M14, M15).
        let seen = preview(town, &hood.officer, &message).await;
        assert_eq!(seen["languages"].as_array().unwrap().len(), 4);
        for shown in seen["languages"].as_array().unwrap() {
            assert_eq!(shown["recipients"], json!({ "email": 3, "sms": 3 }));
            assert_eq!((&shown["sms_parts"], &shown["sms_encoding"]), (&json!(1), &json!("gsm7")), "{shown}");
        }
        assert_eq!(seen["audience"]["members"], 12);
        assert_eq!(seen["audience"]["going"], json!({ "email": 12, "sms": 12 }));
        assert_eq!(seen["audience"]["left_out_by_reason"], json!({ "email:paused": 1, "sms:paused": 1 }));
        let left_out = seen["audience"]["left_out"].as_array().unwrap();
        assert!(left_out.iter().all(|row| row["membership"] == paused.membership.to_string()), "{left_out:?}");
        let price = u64::from(town.config.sms.part_price);
        assert_eq!(seen["sms"], json!({ "messages": 12, "parts": 12, "cents": (12 * price).div_ceil(100) }));

        // Only after a fresh proof of identity (P3: the checklist is part of it).
        let refused = approves_at_once(town, &hood.officer, &message).await.problem(401, "step-up-needed");
        assert!(refused.headers.contains_key("www-authenticate"));
        hood.officer.steps_up(town).await;
        let done = hood.officer.posts(town, &at(&message, "approval"), approval(&seen)).await.expect(202);
        assert_eq!((done.str("/policy"), done.str("/message/status")), ("dual".into(), "dispatching".into()));
        assert_eq!((&done.json["recipients"], &done.json["members"]), (&json!(24), &json!(12)));
        assert_eq!(done.headers["location"], at(&message, "progress"));
        let on_its_way = progress(town, &hood.coordinator, &message).await;
        assert_eq!((&on_its_way["planned"], &on_its_way["waiting"]), (&json!(26), &json!(24)), "{on_its_way}");

        town.delivers_everything().await;
        everybody_has_what_was_seen(town, &hood, &seen, &code);
        let counts = progress(town, &hood.coordinator, &message).await;
        counts_add_up(&counts);
        assert_eq!(counts["status"], "completed");
        assert_eq!(counts["handed_over"], json!({ "email": 12, "sms": 12 }));
        anybody_may_check(town, &code, "genuine").await;

        what_follows_reaches_the_same(town, &hood, &message, &code).await;
    })
    .await;
}
/// An end, feedback (duties C16, P7) and a correction go to exactly those who had the first (accept M12).
async fn what_follows_reaches_the_same(town: &Town, hood: &Neighbourhood, message: &str, code: &str) {
    // Somebody joins meanwhile: what they never heard of is not explained to them.
    let newcomer = hood.enters(town, |_| {}).await;
    let mut expected: Vec<String> = hood.members.iter().map(|member| member.email.clone()).collect();
    expected.sort();
    for (kind, class, sms) in [("end", "urgent", 12), ("feedback", "non_urgent", 0)] {
        let follow_up = follows(town, &hood.officer, message, kind, "police").await.expect(201);
        assert_eq!((follow_up.str("/class"), follow_up.str("/thread")), (class.into(), message.to_owned()));
        let since = mark(town);
        submits(town, &hood.officer, &follow_up.id()).await.expect(202);
        approves(town, &hood.second_officer, &follow_up.id()).await.expect(202);
        town.delivers_everything().await;
        let (mails, texts) = reached(town, since);
        assert_eq!((mails, texts.len()), (expected.clone(), sms), "{kind}");
        let counts = progress(town, &hood.officer, &follow_up.id()).await;
        counts_add_up(&counts);
        assert_eq!(counts["suppressed"]["email:not_reached_before"], 2, "the paused one and the newcomer: {counts}");
    }
    // A correction is one officer's, at once, with another text.
    let body = json!({ "kind": "correction", "source": "police", "texts": texts() });
    let correction = hood.officer.posts(town, &at(message, "follow-ups"), body).await.expect(201).id();
    submits(town, &hood.officer, &correction).await.expect(202);
    anybody_may_check(town, code, "genuine").await;
    let since = mark(town);
    assert_eq!(approves(town, &hood.officer, &correction).await.expect(202).str("/policy"), "correction");
    anybody_may_check(town, code, "corrected").await;
    town.delivers_everything().await;
    assert_eq!(reached(town, since).0, expected);
    assert!(!reached(town, (0, 0)).0.contains(&newcomer.email));
}
/// A correction leaves before what it corrects, where that still waits (accept M12).
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_overtakes_what_it_corrects() {
    on_both(async |town| {
        let hood = town.neighbourhood(4).await;
        let message = super::submitted(town, &hood, &hood.coordinator, burglary()).await;
        town.delivers_everything().await;
        let since = mark(town);
        approves(town, &hood.officer, &message).await.expect(202);
        let correction = follows(town, &hood.officer, &message, "correction", "police").await.expect(201).id();
        submits(town, &hood.officer, &correction).await.expect(202);
        approves(town, &hood.officer, &correction).await.expect(202);
        town.delivers_everything().await;
        assert_eq!(lanes_in_order(town).await, [0, 0, 0, 0, 1, 1, 1, 1], "the correction was handed over first");
        assert_eq!(reached(town, since).1.len(), 8);
    })
    .await;
}
/// The lanes of the SMS to members, in the order in which they were taken up.
async fn lanes_in_order(town: &Town) -> Vec<i16> {
    use diesel::prelude::*;
    use vigie::storage::schema::{attempts, deliveries};
    town.db(|tx| {
        Ok(attempts::table
            .inner_join(deliveries::table.on(deliveries::id.eq(attempts::delivery_id)))
            .filter(deliveries::channel.eq("sms"))
            .filter(deliveries::lane.ne(2_i16))
            .order(attempts::id)
            .select(deliveries::lane)
            .load(tx.db())?)
    })
    .await
}
pub async fn set_status(
    town: &Town,
    membership: vigie::values::Id<vigie::values::of::Membership>,
    status: &'static str,
) {
    use diesel::prelude::*;
    use vigie::storage::schema::memberships;
    town.db(move |tx| {
        let over = matches!(status, "left" | "excluded");
        let (ended_at, reason) = (if over { Some(tx.now()?) } else { None }, over.then_some(status));
        diesel::update(memberships::table.find(membership))
            .set((
                memberships::status.eq(status),
                memberships::ended_at.eq(ended_at),
                memberships::end_reason.eq(reason),
            ))
            .execute(tx.db())?;
        Ok(())
    })
    .await;
}
