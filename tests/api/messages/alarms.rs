//! Somebody is told when an urgent message does not leave, and nobody when the system is merely busy (accept M22).

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Value, json};
use vigie::access::{Reach, Role};
use vigie::config::AlarmConfig;
use vigie::delivery::Channel;
use vigie::delivery::alarms::AlarmKind;
use vigie::delivery::pager::{Page, Pager};
use vigie::messages::{Look, Watch, close_dispatched, messages_in_trouble, take_over};
use vigie::on_either;
use vigie::storage::Tx;
use vigie::storage::schema::{alarms, approvals, deliveries, persons};
use vigie::values::{Id, of};

use super::{approves, approves_at_once, burglary, mark, progress, quiet, stops, submitted};
use crate::delivery::plans::plans;
use crate::support::post_office::AfterMail;
use crate::support::returned::{UNKNOWN_USER, postfix};
use crate::support::{Neighbourhood, Town, logs, on_both};

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
/// One look; what it says about messages. Providers are those of the whole process, which other tests share.
async fn looks(town: &Town, watch: &mut Watch) -> Vec<(&'static str, AlarmKind, String)> {
    let pages = watch.look(&town.database, &town.config).await;
    let of_messages = pages.into_iter().filter(|page| page.subject.starts_with("message:"));
    of_messages.map(|page| (page.event, page.kind, page.subject)).collect()
}
/// How many alarms about messages were ever raised.
async fn ever_raised(town: &Town) -> i64 {
    let of_messages = alarms::table.filter(alarms::subject.like("message:%"));
    town.db(move |tx| Ok(of_messages.count().get_result(tx.db())?)).await
}
/// An urgent message on its way, with all notices about it delivered before the couriers went home.
async fn urgent(town: &Town, hood: &Neighbourhood) -> String {
    let message = submitted(town, hood, &hood.coordinator, burglary()).await;
    town.delivers_everything().await;
    approves(town, &hood.officer, &message).await.expect(202);
    message
}
fn notices(town: &Town, since: (usize, usize)) -> (Vec<String>, Vec<String>) {
    let told = |text: &str| text.contains("ne part pas") || text.contains("vertrekt niet");
    let mails = town.post_office.mails();
    let mails = mails[since.0..].iter().filter(|mail| told(&super::read(mail).0)).map(|mail| mail.to().to_owned());
    let sms = town.post_office.sms();
    let sms = sms[since.1..].iter().filter(|sms| told(&sms.text)).map(|sms| sms.text.clone());
    let (mut mails, mut sms) = (mails.collect::<Vec<_>>(), sms.collect::<Vec<_>>());
    mails.sort();
    sms.sort();
    (mails, sms)
}

/// The issue's own words: an alarm when an urgent message has no hand-over after 10 s. By mail and by SMS to the officers, in
/// their languages and without a word of the message; once; and over when the first member has it.
#[tokio::test(flavor = "multi_thread")]
async fn an_urgent_message_that_nobody_gets_is_told_after_ten_seconds() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        let (mut here, mut there) = (Watch::default(), Watch::default());
        let message = urgent(town, &hood).await;
        let log = logs::mark();
        for _ in 0..10 {
            assert_eq!(looks(town, &mut here).await, []);
            town.passes(seconds(1));
        }
        let subject = format!("message:{message}");
        let raised = ("alarm.raised", AlarmKind::UrgentWithoutHandover, subject.clone());
        assert_eq!(looks(town, &mut here).await, [raised]);
        assert_eq!(
            (looks(town, &mut here).await, looks(town, &mut there).await),
            (vec![], vec![]),
            "once, on all nodes"
        );
        let said = logs::since(log);
        let line = said.lines().find(|line| line.contains("alarm.raised") && line.contains(&message)).unwrap();
        assert!(line.contains("\"level\":\"ERROR\"") && line.contains("urgent_without_handover"), "{line}");

        let since = mark(town);
        town.delivers_everything().await;
        let (mails, sms) = notices(town, since);
        assert_eq!(mails, ["officer@desk.example", "second-officer@desk.example"]);
        assert_eq!(sms.len(), 2);
        let code = super::shows(town, &hood.officer, &message).await.str("/short_code");
        assert!(sms.iter().all(|text| text.starts_with("Lion: ") && text.contains(&code)), "{sms:?}");
        let mail = town.post_office.mails().into_iter().rev().find(|mail| mail.to() == mails[0]).unwrap();
        let (_, text, _) = super::read(&mail);
        assert!(!text.contains("Cambriolage") && !text.contains("Restez"), "{text}");

        let cleared = ("alarm.cleared", AlarmKind::UrgentWithoutHandover, subject);
        assert_eq!(looks(town, &mut there).await, [cleared]);
        town.passes(seconds(100));
        assert_eq!((looks(town, &mut here).await, ever_raised(town).await), (vec![], 1));
    })
    .await;
}

/// A cause that comes and goes pages nobody twice within a quarter of an hour; one that stays is told again after it.
#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_comes_and_goes_is_told_once_in_a_quarter_of_an_hour() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let mut watch = Watch::default();
        urgent(town, &hood).await;
        let at = |moment: vigie::values::Timestamp| {
            town.db(move |tx| {
                use vigie::storage::schema::deliveries;
                let waiting = deliveries::table.filter(deliveries::lane.eq(1_i16));
                let state = if moment > tx.now()? { "planned" } else { "queued" };
                diesel::update(waiting)
                    .set((deliveries::due_at.eq(Some(moment)), deliveries::state.eq(state)))
                    .execute(tx.db())?;
                Ok(())
            })
        };
        let told = async |watch: &mut Watch| -> Vec<&'static str> {
            looks(town, watch).await.into_iter().map(|(event, ..)| event).collect()
        };
        let written = async || -> (usize, usize) {
            let letters: i64 = town
                .db(|tx| {
                    use vigie::storage::schema::deliveries;
                    let letters = deliveries::table.filter(deliveries::lane.eq(2_i16));
                    Ok(letters.filter(deliveries::due_at.is_not_null()).count().get_result(tx.db())?)
                })
                .await;
            let stand = town.db(vigie::delivery::alarms::open_alarms).await;
            (usize::try_from(letters).unwrap(), stand.iter().filter(|alarm| alarm.subject.contains("message")).count())
        };
        let before = written().await.0;
        town.passes(seconds(10));
        assert_eq!(told(&mut watch).await, ["alarm.raised"]);
        assert_eq!(written().await, (before + 4, 1), "a mail and an SMS to each of two officers");
        // As if it had moved for a moment: over, and there again.
        let now = town.clock.now();
        at(now.plus(seconds(300))).await;
        assert_eq!(told(&mut watch).await, ["alarm.cleared"]);
        at(now).await;
        town.passes(seconds(10));
        assert_eq!(
            (told(&mut watch).await, written().await),
            (vec![], (before + 4, 1)),
            "it stands, and nobody is told"
        );
        at(now.plus(seconds(300))).await;
        town.passes(seconds(1));
        assert_eq!((told(&mut watch).await, written().await), (vec![], (before + 4, 0)), "nor that it is over");
        at(now).await;
        for _ in 0..8 {
            town.passes(seconds(100));
            assert_eq!((told(&mut watch).await, written().await), (vec![], (before + 4, 1)));
        }
        town.passes(seconds(89));
        assert_eq!((told(&mut watch).await, written().await), (vec!["alarm.raised"], (before + 8, 1)));
        town.passes(seconds(89));
        assert_eq!((told(&mut watch).await, written().await), (vec![], (before + 8, 1)));
    })
    .await;
}
/// Nothing is sent to a number that did not work for weeks, an alarm neither: the mail goes, and says why it goes alone.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_whose_number_is_suspended_is_told_by_mail_which_says_so() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let mut watch = Watch::default();
        let account = hood.officer.account;
        town.db(move |tx| {
            use vigie::people::{ContactKind, SuspensionReason, contacts_of, suspend_contact};
            let person = vigie::accounts::reach(tx, account)?.unwrap().person;
            let contacts = contacts_of(tx, &[person])?.remove(&person).unwrap();
            let mobile = contacts.iter().find(|contact| contact.kind == ContactKind::Mobile).unwrap();
            assert!(suspend_contact(tx, mobile.id, SuspensionReason::KeepsFailing)?);
            Ok(())
        })
        .await;
        urgent(town, &hood).await;
        town.passes(seconds(10));
        let (log, since) = (logs::mark(), mark(town));
        assert_eq!(looks(town, &mut watch).await.len(), 1);
        town.delivers_everything().await;
        let (mails, sms) = notices(town, since);
        assert_eq!((mails.len(), sms.len()), (2, 1), "nothing goes to the number that does not work");
        let text = |to: &str| {
            let mails = town.post_office.mails();
            let read = mails[since.0..].iter().filter(|mail| mail.to() == to).map(super::read);
            // The notice of the release leaves at the same time, before or after.
            read.map(|(_, text, _)| text).find(|text| text.contains("/progress")).unwrap()
        };
        let alone = ["seulement par e-mail", "alleen per e-mail", "nur per E-Mail", "by e-mail only"];
        let says_so = |to: &str| alone.iter().any(|word| text(to).contains(word));
        assert!(says_so("officer@desk.example"), "{}", text("officer@desk.example"));
        assert!(!says_so("second-officer@desk.example"), "{}", text("second-officer@desk.example"));
        let said = logs::since(log);
        assert!(said.contains("an alarm goes to an officer by mail only"), "{said}");
        // Only whoever runs this can lift it, and then the SMS goes again.
        let reinstated = |email: &str| {
            vigie::app::mobile::reinstated(&town.database, &vigie::values::EmailAddress::parse(email).unwrap())
        };
        assert!(
            !reinstated("officer@desk.example").unwrap().contains("officer@desk"),
            "no address in a log of commands"
        );
        let again = reinstated("officer@desk.example").unwrap_err().to_string();
        assert!(again.contains("no suspended mobile number"), "{again}");
        let unknown = reinstated("nobody@desk.example").unwrap_err().to_string();
        assert!(unknown.contains("no account"), "{unknown}");
        let said = logs::since(log);
        let line = said.lines().find(|line| line.contains("mobile.reinstated")).unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains(&account.to_string()) && !line.contains("desk"), "{line}");
        let reached = town.db(move |tx| vigie::accounts::reach(tx, account)).await.unwrap();
        assert!(reached.mobile.is_some() && !reached.mobile_suspended);
    })
    .await;
}

/// A relay and a gateway that always say "later", with couriers at work: nobody has it, and it is told. Stopping ends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_only_put_off_is_told_too_and_a_stop_ends_it() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        let mut watch = Watch::default();
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        town.delivers_everything().await;
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Says("451 4.3.0 later"));
        town.post_office.gateway.behave(crate::support::post_office::SmsManners::Says(503, "", String::new()));
        approves(town, &hood.officer, &message).await.expect(202);
        for _ in 0..5 {
            town.delivers_everything().await;
            town.passes(seconds(2));
        }
        assert_eq!(progress(town, &hood.officer, &message).await["handed_over"], json!({}));
        assert_eq!(looks(town, &mut watch).await.len(), 1);
        stops(town, &hood.officer, &message).await.expect(200);
        let told: Vec<_> = looks(town, &mut watch).await.into_iter().map(|(event, ..)| event).collect();
        assert_eq!(told, ["alarm.cleared"]);
    })
    .await;
}

/// What a message's alarms are, newest first: whether each stands.
async fn stand(town: &Town, hood: &Neighbourhood) -> Vec<Value> {
    hood.officer.gets(town, "/api/v1/alarms?open=true").await.expect(200).items().clone()
}
async fn takes_in_hand(town: &Town, hood: &Neighbourhood) {
    let alarm = stand(town, hood).await[0]["id"].as_str().unwrap().to_owned();
    hood.officer.posts(town, &format!("/api/v1/alarms/{alarm}/acknowledgement"), json!({})).await.expect(200);
}
/// An urgent message to two members, by mail alone, to a relay that says this to every mail.
async fn refused_everywhere(town: &Town, says: &'static str) -> (Neighbourhood, String) {
    let hood = town.neighbourhood(2).await;
    hood.agrees_on(town, |plan| plan.urgent.channels = vec![Channel::Email]).await;
    let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
    town.delivers_everything().await;
    town.post_office.smtp.behave(move |relay| relay.after_mail = AfterMail::Says(says));
    approves(town, &hood.officer, &message).await.expect(202);
    town.delivers_everything().await;
    (hood, message)
}
async fn status(town: &Town, hood: &Neighbourhood, message: &str) -> String {
    super::shows(town, &hood.officer, message).await.str("/status")
}

/// The issue's own words, where the end is quicker than the alarm: everything was refused for good within a second. It is
/// told all the same, and stands until somebody takes it in hand.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_refused_for_everybody_is_told_too() {
    on_both(async |town| {
        let mut watch = Watch::default();
        let (hood, message) = refused_everywhere(town, "554 5.7.1 content rejected").await;
        assert_eq!(status(town, &hood, &message).await, "completed_with_failures");
        assert_eq!(looks(town, &mut watch).await, []);
        town.passes(seconds(10));
        let (since, subject) = (mark(town), format!("message:{message}"));
        let raised = ("alarm.raised", AlarmKind::UrgentWithoutHandover, subject.clone());
        assert_eq!(looks(town, &mut watch).await, [raised]);
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Accepts);
        town.delivers_everything().await;
        let (mails, sms) = notices(town, since);
        assert_eq!((mails.len(), sms.len()), (2, 2), "the officers hear of it");
        for _ in 0..6 {
            town.passes(seconds(3_600));
            assert_eq!(looks(town, &mut watch).await, [], "its validity is over, and still nobody has it");
        }
        assert_eq!(stand(town, &hood).await.len(), 1);
        takes_in_hand(town, &hood).await;
        let cleared = ("alarm.cleared", AlarmKind::UrgentWithoutHandover, subject);
        assert_eq!(looks(town, &mut watch).await, [cleared]);
        town.passes(seconds(1_000));
        assert_eq!((looks(town, &mut watch).await, ever_raised(town).await), (vec![], 1));
    })
    .await;
}
/// Everything that a message sent to members fails after it was accepted: the mails come back, the SMS are reported lost.
async fn fails_afterwards(town: &Town, message: &str, since: (usize, usize)) {
    let id: Id<of::Message> = Id::parse(message).unwrap();
    let mails: Vec<i64> = town
        .db(move |tx| {
            let version: Id<of::MessageVersion> =
                approvals::table.filter(approvals::message_id.eq(id)).select(approvals::version_id).first(tx.db())?;
            let batch: Id<of::Batch> = Id::from_uuid(version.uuid());
            let mails =
                deliveries::table.filter(deliveries::batch_id.eq(batch)).filter(deliveries::channel.eq("email"));
            Ok(mails.select(deliveries::id).load(tx.db())?)
        })
        .await;
    for mail in mails {
        town.comes_back(&town.return_address(mail), postfix(UNKNOWN_USER)).await.expect(204);
    }
    let sms = town.post_office.sms();
    for sms in sms[since.1..].iter().filter(|sms| sms.to.contains("3247110")) {
        assert_eq!(town.post_office.gateway.reports(sms, 2, "F00-1").await, 200);
    }
}
/// Accepted for everybody and closed as complete, and only then refused for everybody: nobody has it, and it is told. What
/// was accepted ended the alarm before, and does not keep the next one away.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_to_nothing_after_it_was_accepted_is_told_too() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let mut watch = Watch::default();
        let message = urgent(town, &hood).await;
        town.passes(seconds(10));
        assert_eq!(looks(town, &mut watch).await[0].0, "alarm.raised");
        let since = mark(town);
        town.delivers_everything().await;
        assert_eq!(looks(town, &mut watch).await[0].0, "alarm.cleared");
        assert_eq!(status(town, &hood, &message).await, "completed");
        // Past the quarter of an hour in which nobody is told again.
        town.passes(seconds(900));
        assert_eq!(looks(town, &mut watch).await, []);
        fails_afterwards(town, &message, since).await;
        let states = progress(town, &hood.officer, &message).await["states"].clone();
        assert_eq!(states, json!({ "email": { "failed": 2 }, "sms": { "failed": 2 } }));
        let (since, subject) = (mark(town), format!("message:{message}"));
        let raised = ("alarm.raised", AlarmKind::UrgentWithoutHandover, subject.clone());
        assert_eq!(looks(town, &mut watch).await, [raised]);
        town.delivers_everything().await;
        assert_eq!(notices(town, since).0.len(), 2, "the officers hear of it");
        for _ in 0..2 {
            town.passes(seconds(3_600));
            assert_eq!((looks(town, &mut watch).await, stand(town, &hood).await.len()), (vec![], 1), "it stands");
        }
        takes_in_hand(town, &hood).await;
        let cleared = ("alarm.cleared", AlarmKind::UrgentWithoutHandover, subject);
        assert_eq!(looks(town, &mut watch).await, [cleared]);
        // One SMS that stays is enough.
        let since = mark(town);
        let other = super::sent(town, &hood, burglary()).await;
        fails_afterwards(town, &other, (since.0, town.post_office.sms().len() - 1)).await;
        town.passes(seconds(60));
        assert_eq!(looks(town, &mut watch).await, []);
    })
    .await;
}
/// Asked every second, as is what can be closed: neither the messages that were ever sent are read for it, nor their
/// deliveries.
#[tokio::test(flavor = "multi_thread")]
async fn the_watch_reads_only_what_was_closed_lately() {
    on_both(async |town| {
        let hood = town.neighbourhood(10).await;
        let message = super::sent(town, &hood, burglary()).await;
        // A thousand more of it, closed long ago and complete.
        town.db(move |tx| {
            for number in 0..1_000 {
                let (it, version) = (Id::<of::Message>::new(), Id::<of::MessageVersion>::new());
                let approval = Id::<of::Approval>::new();
                let copies = format!(
                    "INSERT INTO messages (id, partnership_id, thread_id, class, kind, mode, source, status, short_code,
                        validity_minutes, author_id, author_role, current_version, submitted_by, submitted_at, decided_by,
                        decided_at, valid_until, completed_at, version, created_at)
                    SELECT '{it}', partnership_id, '{it}', class, kind, mode, source, status, 'X{number}',
                        validity_minutes, author_id, author_role, current_version, submitted_by, submitted_at, decided_by,
                        decided_at, decided_at, decided_at, version, created_at FROM messages WHERE id = '{message}';
                    INSERT INTO message_versions (id, message_id, number, texts, rendered, audience, hash, created_by, created_at)
                    SELECT '{version}', '{it}', number, '{{}}', '{{}}', '{{}}', hash, created_by, created_at
                        FROM message_versions WHERE message_id = '{message}';
                    INSERT INTO deliveries (batch_id, person_id, channel, lane, state, deadline, attempts, settled_at, created_at,
                        round_from, untried)
                    SELECT '{version}', person_id, channel, lane, state, deadline, attempts, settled_at, created_at,
                        round_from, untried
                        FROM deliveries WHERE batch_id = (SELECT version_id FROM approvals WHERE message_id = '{message}');
                    INSERT INTO approvals (id, message_id, version_id, hash, plan_number, policy, checklist, audience, officer_id,
                        approved_at)
                    SELECT '{approval}', '{it}', '{version}', hash, plan_number, policy, checklist, audience, officer_id,
                        approved_at FROM approvals WHERE message_id = '{message}';"
                );
                on_either!(tx, |c| c.batch_execute(&copies))?;
            }
            Ok(on_either!(tx, |c| c.batch_execute("ANALYZE"))?)
        })
        .await;
        let each_second = |tx: &mut Tx<'_>| {
            messages_in_trouble(tx)?;
            assert_eq!(close_dispatched(tx)?, 0);
            Ok(())
        };
        let found = town.db(move |tx| plans(tx, "messages.status ", each_second)).await;
        assert_eq!(found.len(), 3, "what goes out, what is over, what is to be closed: {found:?}");
        for plan in &found {
            eprintln!("{plan}");
            for table in ["messages", "approvals", "deliveries"] {
                let scans = [format!("Seq Scan on {table}"), format!("SCAN {table}")];
                assert!(!scans.iter().any(|scan| plan.contains(scan)), "{plan}");
            }
            assert!(!plan.contains("Hash"), "one probe for each message: {plan}");
        }
        assert!(found[1].contains("messages_missed"), "{}", found[1]);
    })
    .await;
}
/// What is kept of one officer does not open: the others are told all the same, and messages go on.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_whose_row_does_not_open_keeps_nobody_from_hearing() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let mut watch = Watch::default();
        urgent(town, &hood).await;
        let damaged = hood.second_officer.account;
        town.db(move |tx| {
            let person = vigie::accounts::reach(tx, damaged)?.unwrap().person;
            diesel::update(persons::table.find(person))
                .set(persons::name.eq(Some(vec![1_u8, 2, 3])))
                .execute(tx.db())?;
            Ok(())
        })
        .await;
        town.passes(seconds(10));
        let (log, since) = (logs::mark(), mark(town));
        assert_eq!(looks(town, &mut watch).await.len(), 1, "raised, and the pager is told");
        assert_eq!(looks(town, &mut watch).await, []);
        let said = logs::since(log);
        let line = said.lines().find(|line| line.contains("notice.unreadable")).unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains(&damaged.to_string()) && !line.contains("desk.example"), "{line}");
        town.delivers_everything().await;
        let (mails, sms) = notices(town, since);
        assert_eq!((mails, sms.len()), (vec!["officer@desk.example".to_owned()], 1));
        // Nor does it keep a message from being handed in, or from being approved.
        urgent(town, &hood).await;
    })
    .await;
}
/// Taken in hand while it is of use, it stands; put back, it begins anew; and whoever has it is enough.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_for_everybody_ends_when_it_is_put_back_and_arrives() {
    on_both(async |town| {
        let mut watch = Watch::default();
        let (hood, message) = refused_everywhere(town, "554 5.7.1 content rejected").await;
        town.passes(seconds(10));
        assert_eq!(looks(town, &mut watch).await.len(), 1);
        takes_in_hand(town, &hood).await;
        town.passes(seconds(60));
        assert_eq!((looks(town, &mut watch).await, stand(town, &hood).await.len()), (vec![], 1));
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Accepts);
        hood.officer.posts(town, &super::at(&message, "dead-letters/requeue"), json!({})).await.expect(202);
        assert_eq!(looks(town, &mut watch).await[0].0, "alarm.cleared");
        town.delivers_everything().await;
        town.passes(seconds(60));
        assert_eq!((looks(town, &mut watch).await, ever_raised(town).await), (vec![], 1));
        // One of several is enough: a mailbox that is gone pages nobody.
        let gone = hood.members[0].email.clone();
        town.post_office.smtp.behave(move |relay| relay.refuses.extend([gone]));
        let other = super::sent(town, &hood, burglary()).await;
        assert_eq!(status(town, &hood, &other).await, "completed_with_failures");
        town.passes(seconds(60));
        assert_eq!((looks(town, &mut watch).await, ever_raised(town).await), (vec![], 1));
    })
    .await;
}
/// A relay that is down until nothing is of use any more: nobody was warned, so nobody is told that it is over.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_validity_ends_no_alarm() {
    on_both(async |town| {
        let mut watch = Watch::default();
        let (hood, message) = refused_everywhere(town, "451 4.3.0 later").await;
        town.passes(seconds(10));
        assert_eq!(looks(town, &mut watch).await.len(), 1);
        town.passes(seconds(2 * 3_600));
        town.courier.round(Channel::Email).await.unwrap();
        assert_eq!(looks(town, &mut watch).await, [], "everything has expired");
        town.delivers_everything().await;
        assert_eq!(status(town, &hood, &message).await, "completed_with_failures");
        for _ in 0..3 {
            assert_eq!((looks(town, &mut watch).await, stand(town, &hood).await.len()), (vec![], 1));
            town.passes(seconds(3_600));
        }
        takes_in_hand(town, &hood).await;
        assert_eq!(looks(town, &mut watch).await[0].0, "alarm.cleared");
    })
    .await;
}
/// No node ran until it was too late: the first that does tells it, although the message is closed by then.
#[tokio::test(flavor = "multi_thread")]
async fn what_expired_while_nobody_looked_is_told_by_the_first_who_does() {
    on_both(async |town| {
        let (hood, message) = refused_everywhere(town, "451 4.3.0 later").await;
        town.passes(seconds(2 * 3_600));
        town.delivers_everything().await;
        assert_eq!(status(town, &hood, &message).await, "completed_with_failures");
        assert_eq!(looks(town, &mut Watch::default()).await[0].0, "alarm.raised");
        assert_eq!(stand(town, &hood).await.len(), 1);
    })
    .await;
}
/// A correction of what is not urgent has a channel in reserve: one refused mail pages nobody, as the SMS follows at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_the_other_channel_takes_over_pages_nobody() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let mut watch = Watch::default();
        let message = super::sent(town, &hood, quiet("meeting")).await;
        let draft = super::follows(town, &hood.officer, &message, "correction", "police").await.expect(201).id();
        super::submits(town, &hood.officer, &draft).await.expect(202);
        town.delivers_everything().await;
        let gone = hood.members[0].email.clone();
        town.post_office.smtp.behave(move |relay| relay.refuses.extend([gone]));
        approves(town, &hood.second_officer, &draft).await.expect(202);
        town.passes(seconds(9));
        assert_eq!(looks(town, &mut watch).await, []);
        town.passes(seconds(1));
        town.courier.round(Channel::Email).await.unwrap();
        assert_eq!(looks(town, &mut watch).await, [], "it has just failed");
        assert_eq!(take_over(&town.database, Look::Recent).await.unwrap(), 1);
        assert_eq!(looks(town, &mut watch).await, [], "the SMS has its own ten seconds");
        town.passes(seconds(10));
        assert_eq!(looks(town, &mut watch).await[0].0, "alarm.raised");
        town.delivers_everything().await;
        assert_eq!(looks(town, &mut watch).await[0].0, "alarm.cleared");
    })
    .await;
}

/// Accept M22: when the system is merely busy, nobody is paged. A dispatch that takes minutes, to members of whom some have
/// mailboxes that say "later" until the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_healthy_dispatch_pages_nobody() {
    on_both(async |town| {
        let hood = town.neighbourhood(450).await;
        let mut watch = Watch::default();
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        town.delivers_everything().await;
        approves(town, &hood.officer, &message).await.expect(202);
        // The fifth part of a minute for each hundred mails and SMS: the last leave after a minute.
        let mut claimed = 1;
        while claimed > 0 {
            claimed = 0;
            for channel in Channel::ALL {
                claimed += town.courier.round(*channel).await.unwrap();
            }
            for _ in 0..12 {
                town.passes(seconds(1));
                assert_eq!(looks(town, &mut watch).await, []);
            }
        }
        // Full mailboxes go on for as long as the message is valid: everybody else has it.
        town.db(move |tx| {
            use vigie::storage::schema::deliveries;
            let now = tx.now()?;
            let few: Vec<i64> = deliveries::table
                .filter(deliveries::lane.eq(1_i16))
                .filter(deliveries::channel.eq("email"))
                .order(deliveries::id)
                .limit(5)
                .select(deliveries::id)
                .load(tx.db())?;
            diesel::update(deliveries::table.filter(deliveries::id.eq_any(few)))
                .set((
                    deliveries::state.eq("deferred"),
                    deliveries::settled_at.eq(None::<vigie::values::Timestamp>),
                    deliveries::due_at.eq(Some(now)),
                ))
                .execute(tx.db())?;
            Ok(())
        })
        .await;
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Says("452 4.2.2 full"));
        for _ in 0..60 {
            town.courier.round(Channel::Email).await.unwrap();
            town.passes(seconds(10));
            assert_eq!(looks(town, &mut watch).await, []);
        }
        assert_eq!(ever_raised(town).await, 0);
    })
    .await;
}

/// It began to leave and stands still: told after a minute.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_stands_still_half_way_is_told() {
    on_both(async |town| {
        let hood = town.neighbourhood(120).await;
        let mut watch = Watch::default();
        let message = urgent(town, &hood).await;
        town.courier.round(Channel::Email).await.unwrap();
        for _ in 0..59 {
            town.passes(seconds(1));
            assert_eq!(looks(town, &mut watch).await, []);
        }
        // It is looked at every ten seconds once it has begun to leave.
        let mut told = Vec::new();
        for _ in 0..11 {
            town.passes(seconds(1));
            told.extend(looks(town, &mut watch).await);
        }
        assert_eq!(told, [("alarm.raised", AlarmKind::UrgentStuck, format!("message:{message}"))]);
        town.delivers_everything().await;
        assert_eq!(looks(town, &mut watch).await[0].0, "alarm.cleared");
        assert_eq!(ever_raised(town).await, 1);
    })
    .await;
}

/// Accept M22: what was put back into the queue begins then, and not when the police decided.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_back_has_its_own_ten_seconds() {
    on_both(async |town| {
        let hood = town.neighbourhood(4).await;
        let mut watch = Watch::default();
        let again = async |message: &str| {
            let path = super::at(message, "dead-letters/requeue");
            hood.officer.posts(town, &path, json!({})).await.expect(202);
        };
        // Nobody had it.
        let all: Vec<String> = hood.members.iter().map(|member| member.email.clone()).collect();
        town.post_office.smtp.behave(|relay| relay.refuses.extend(all.clone()));
        town.post_office.gateway.behave(crate::support::post_office::SmsManners::Says(400, "", "no".to_owned()));
        let message = super::sent(town, &hood, burglary()).await;
        town.passes(seconds(600));
        again(&message).await;
        for _ in 0..10 {
            assert_eq!(looks(town, &mut watch).await, []);
            town.passes(seconds(1));
        }
        let told: Vec<_> = looks(town, &mut watch).await.into_iter().map(|(event, kind, _)| (event, kind)).collect();
        assert_eq!(told, [("alarm.raised", AlarmKind::UrgentWithoutHandover)]);
        town.post_office.gateway.behave(crate::support::post_office::SmsManners::Accepts);
        town.delivers_everything().await;
        assert_eq!(looks(town, &mut watch).await[0].0, "alarm.cleared");
        // The mails are still refused, and put back once more: a half of everybody waits, and others have had it for long.
        town.passes(seconds(600));
        again(&message).await;
        for _ in 0..59 {
            assert_eq!(looks(town, &mut watch).await, []);
            town.passes(seconds(1));
        }
        let mut told = Vec::new();
        for _ in 0..11 {
            town.passes(seconds(1));
            told.extend(looks(town, &mut watch).await);
        }
        assert_eq!(told, [("alarm.raised", AlarmKind::UrgentStuck, format!("message:{message}"))]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_urgent_may_wait() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let mut watch = Watch::default();
        let message = submitted(town, &hood, &hood.coordinator, quiet("prevention")).await;
        approves_at_once(town, &hood.officer, &message).await.expect(202);
        for _ in 0..20 {
            town.passes(seconds(60));
            assert_eq!(looks(town, &mut watch).await, []);
        }
    })
    .await;
}

/// Those who run the zone see the alarms of their zone, and one of them takes it in hand.
#[tokio::test(flavor = "multi_thread")]
async fn alarms_are_read_and_taken_in_hand_in_the_zone() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let mut watch = Watch::default();
        let message = urgent(town, &hood).await;
        town.passes(seconds(10));
        looks(town, &mut watch).await;
        for desk in [&hood.officer, &hood.administrator] {
            let page = desk.gets(town, "/api/v1/alarms?open=true").await.expect(200);
            assert_eq!(page.items().len(), 1);
            let row = &page.items()[0];
            assert_eq!((&row["kind"], &row["message"]), (&json!("urgent_without_handover"), &json!(message)));
            assert!(row.get("acknowledged_at").is_none());
        }
        assert!(hood.officer.gets(town, "/api/v1/alarms?open=false").await.expect(200).items().is_empty());
        let alarm = hood.officer.gets(town, "/api/v1/alarms").await.items()[0]["id"].as_str().unwrap().to_owned();
        let take = format!("/api/v1/alarms/{alarm}/acknowledgement");
        let taken = hood.second_officer.posts(town, &take, json!({})).await.expect(200);
        assert_eq!(taken.json["acknowledged_by"], hood.second_officer.account.to_string());
        // Who was first stays.
        let again = hood.administrator.posts(town, &take, json!({})).await.expect(200);
        assert_eq!(again.json["acknowledged_by"], taken.json["acknowledged_by"]);
        hood.officer.posts(town, &take, json!({ "wrong": 1 })).await.at_fault("/wrong");
        // Taken in hand is not mended.
        assert_eq!(looks(town, &mut watch).await, []);
        assert_eq!(hood.officer.gets(town, "/api/v1/alarms?open=true").await.items().len(), 1);
        for (desk, status) in [(&hood.coordinator, 403), (&hood.steering, 403), (&hood.municipality, 404)] {
            desk.gets(town, "/api/v1/alarms").await.expect(403);
            desk.posts(town, &take, json!({})).await.expect(status);
        }
        assert!(hood.officer_elsewhere.gets(town, "/api/v1/alarms").await.expect(200).items().is_empty());
        hood.officer_elsewhere.posts(town, &take, json!({})).await.problem(404, "not-found");
        town.desk("far", Role::ZoneAdministrator, Reach::Zone(hood.elsewhere))
            .await
            .posts(town, &take, json!({}))
            .await
            .expect(404);
        town.open_post(&take, json!({})).await.problem(401, "not-signed-in");
    })
    .await;
}

/// What a pager heard: headers and body.
type Heard = (BTreeMap<String, String>, String);

/// A pager that answers like this once it is told to; and what it hears.
async fn pager(
    answers: &'static [u16],
) -> (String, tokio::sync::oneshot::Sender<()>, tokio::sync::mpsc::UnboundedReceiver<Heard>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/page", listener.local_addr().unwrap());
    let (heard, hears) = tokio::sync::mpsc::unbounded_channel();
    let (go, may_go) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        may_go.await.unwrap();
        for status in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let (head, length) = loop {
                let mut chunk = [0; 4096];
                let count = stream.read(&mut chunk).await.unwrap();
                bytes.extend_from_slice(&chunk[..count]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let headers: BTreeMap<String, String> = head
                        .lines()
                        .skip(1)
                        .map(|line| line.split_once(": ").unwrap())
                        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                        .collect();
                    if body.len() == headers["content-length"].parse::<usize>().unwrap() {
                        break (headers, body.to_owned());
                    }
                }
            };
            heard.send((head, length)).unwrap();
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, go, hears)
}
/// Signed, repeated under the same id, and without a person in it.
#[tokio::test(flavor = "multi_thread")]
async fn the_pager_is_told_again_when_it_refuses() {
    let (url, answers, mut hears) = pager(&[500, 204]).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLasw".to_owned();
    let pager = Pager::new(&AlarmConfig { webhook_url: url.into(), webhook_secret: secret.into() }).unwrap();
    let page = Page {
        event: "alarm.raised",
        alarm: None,
        kind: AlarmKind::UrgentStuck,
        subject: "message:018f".to_owned(),
        timestamp: crate::support::town::BEGINNING,
    };
    // It is told beside the work: nobody answers until this has returned.
    pager.tell(page);
    answers.send(()).unwrap();
    let (first, body) = hears.recv().await.unwrap();
    let (second, again) = hears.recv().await.unwrap();
    assert_eq!((&first["webhook-id"], &body), (&second["webhook-id"], &again));
    assert!(first["webhook-signature"].starts_with("v1,") && first["webhook-id"].starts_with("msg_"));
    let body: Value = serde_json::from_str(&body).unwrap();
    let expected = json!({ "type": "alarm.raised", "kind": "urgent_stuck", "subject": "message:018f", "timestamp": crate::support::town::BEGINNING });
    assert_eq!(body, expected);
}
