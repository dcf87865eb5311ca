//! SMS that members send to us, as a gateway hands them over (accept M17).

use std::time::Duration;

use diesel::prelude::*;
use vigie::delivery::{self, Channel, State};
use vigie::members::GATEWAYS;
use vigie::messages::{Look, take_over};
use vigie::people::{self, ContactKind, ContactState};
use vigie::storage::schema::{deliveries, inbound_sms, memberships, throttles};
use vigie::storage::{StorageError, Tx};
use vigie::values::{EmailAddress, Id, Language, PhoneNumber, of};
use vigie::worker;

use super::{plan_for, something_waits};
use crate::messages;
use crate::support::kannel::Kannel;
use crate::support::neighbourhood::Neighbour;
use crate::support::{Desk, Neighbourhood, Reply, Town, logs, on_both};

const HOUR: Duration = Duration::from_secs(3_600);

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
/// The address that was printed for a gateway, filled in by it.
fn filled_in(town: &Town, gateway: usize, from: &str, text: &str, id: &str) -> String {
    let url = GATEWAYS[gateway].inbound_url(&town.config, town.database.keys());
    let path = url.trim_start_matches(&town.base).to_owned();
    path.replace("%C", "UTF-8").replace("%I", &encoded(id)).replace("%p", &encoded(from)).replace("%a", text)
}
/// Kannel calls us.
async fn hands_over(town: &Town, from: &str, text: &str, id: &str) -> Reply {
    town.open_get(&filled_in(town, 0, from, &encoded(text), id)).await
}
/// A phone sends an SMS; each is another one.
async fn sends(town: &Town, from: &str, text: &str) {
    let id = Id::<of::Batch>::new().to_string();
    let heard = hands_over(town, from, text, &id).await.expect(200);
    assert_eq!(heard.text, "", "Kannel would send it to the phone");
    town.delivers_everything().await;
}
/// What a phone got since, in order.
fn got(town: &Town, mobile: &str, since: usize) -> Vec<String> {
    let sms = town.post_office.sms();
    sms[since..].iter().filter(|sms| sms.to == mobile).map(|sms| sms.text.clone()).collect()
}
async fn shown(town: &Town, by: &Desk, member: &Neighbour) -> Reply {
    by.gets(town, &format!("/api/v1/members/{}", member.membership)).await.expect(200)
}
async fn stopped(town: &Town, by: &Desk, member: &Neighbour) -> bool {
    shown(town, by, member).await.json["sms_stopped"] == true
}
async fn listed(town: &Town, hood: &Neighbourhood, query: &str) -> Vec<String> {
    let list = hood.coordinator.gets(town, &format!("/api/v1/partnerships/{}/members?{query}", hood.partnership)).await;
    list.expect(200).items().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}
fn letters_to(town: &Town, email: &str) -> Vec<String> {
    let mails = town.post_office.mails();
    mails.iter().filter(|mail| mail.to() == email).map(|mail| messages::read(mail).1).collect()
}
/// Word, answer and how many memberships changed, of all that came.
async fn noted(town: &Town) -> Vec<(String, Option<String>, i32)> {
    town.db(|tx| {
        Ok(inbound_sms::table
            .order(inbound_sms::received_at)
            .select((inbound_sms::word, inbound_sms::answer, inbound_sms::changed))
            .load(tx.db())?)
    })
    .await
}
async fn waiting(town: &Town, member: Id<of::Membership>) -> Vec<(Channel, State, Option<String>)> {
    town.db(move |tx| {
        Ok(deliveries::table
            .filter(deliveries::membership_id.eq(Some(member)))
            .order(deliveries::id)
            .select((deliveries::channel, deliveries::state, deliveries::reason))
            .load(tx.db())?)
    })
    .await
}

/// Accept M17: each word as phones write it, also in the alphabet an accent makes a phone choose.
#[tokio::test(flavor = "multi_thread")]
async fn the_words_are_understood_as_phones_write_them() {
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        for (text, ends) in [
            ("STOP", true),
            ("stop.", true),
            (" Stop! ", true),
            ("ARRET", true),
            ("arrêt", true),
            ("STOPP", true),
            ("Stoppen", true),
            ("Arrêter svp", true),
            ("STOPT", false),
            ("Stop the thief in Rue du Lion", false),
            ("help", false),
            ("", false),
        ] {
            let member = hood.enters(town, |_| {}).await;
            sends(town, &member.mobile, text).await;
            assert_eq!(stopped(town, &hood.coordinator, &member).await, ends, "{text:?}");
        }
        let wide = "%00A%00R%00R%00%CA%00T";
        let member = hood.enters(town, |_| {}).await;
        let path = filled_in(town, 0, &member.mobile, wide, "wide-1").replace("UTF-8", "UTF-16BE");
        town.open_get(&path).await.expect(200);
        assert!(stopped(town, &hood.coordinator, &member).await);
        // With the international prefix written out, or left away as Kannel may.
        for prefix in ["", "00"] {
            let member = hood.enters(town, |_| {}).await;
            sends(town, &member.mobile.replace('+', prefix), "STOP").await;
            assert!(stopped(town, &hood.coordinator, &member).await, "{prefix:?}");
        }
    })
    .await;
}

/// Accept M17: SMS end, what waits is cancelled, one confirmation goes out, other channels and the membership stay, and the
/// coordinator sees it.
#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_sms_to_the_number_that_sent_it_and_nothing_else() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let anouk = hood.enters(town, |_| {}).await;
        let number = PhoneNumber::parse(&anouk.mobile).unwrap();
        let bert = hood.enters(town, |new| new.mobile = Some(number.clone())).await;
        let (second, shared) = (hood.second, number.clone());
        let cas = hood
            .enters(town, |new| {
                new.partnership = second;
                new.mobile = Some(shared);
            })
            .await;
        let stays = &hood.members[0];
        for member in [&anouk, &bert, &cas, stays] {
            something_waits(town, member.membership).await;
        }
        let before = town.post_office.sms().len();
        sends(town, &anouk.mobile, "STOP").await;

        let cancelled = (Channel::Sms, State::Cancelled, Some("stopped".to_owned()));
        for (member, by) in
            [(&anouk, &hood.coordinator), (&bert, &hood.coordinator), (&cas, &hood.coordinator_of_second)]
        {
            let view = shown(town, by, member).await;
            assert_eq!((&view.json["sms_stopped"], &view.json["status"]), (&true.into(), &"active".into()));
            assert_eq!((&view.json["email_stopped"], &view.json["reachable"]), (&false.into(), &true.into()));
            let waits = waiting(town, member.membership).await;
            assert_eq!(waits, [(Channel::Email, State::Planned, None), cancelled.clone()]);
        }
        assert!(!stopped(town, &hood.coordinator, stays).await);
        assert_eq!(waiting(town, stays.membership).await[1].1, State::Planned);

        let confirmations = got(town, &anouk.mobile, before);
        assert_eq!(confirmations.len(), 1, "one for the number, not one for each member: {confirmations:?}");
        let text = &confirmations[0];
        for part in ["START", "e-mails continuent", "101"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(town.post_office.sms().len(), before + 1, "and nobody else gets one");

        // The coordinator sees it: on the list, and in a letter for each partnership that says neither who nor the number.
        let mut expected = vec![anouk.membership.to_string(), bert.membership.to_string()];
        expected.sort();
        assert_eq!(listed(town, &hood, "stopped=sms").await, expected);
        assert!(listed(town, &hood, "stopped=email").await.is_empty());
        for desk in [&hood.coordinator, &hood.deputy, &hood.coordinator_of_second] {
            let letters = letters_to(town, &desk.email);
            assert_eq!(letters.len(), 1, "{}: {letters:?}", desk.email);
            assert!(letters[0].contains("stopped=sms"), "{}", letters[0]);
            assert!(!letters[0].contains("3247") && !letters[0].contains("Dubois"), "{}", letters[0]);
        }
        assert!(letters_to(town, &hood.steering.email).is_empty() && letters_to(town, &hood.officer.email).is_empty());
        assert_eq!(noted(town).await, [("stop".to_owned(), Some("stop".to_owned()), 3)]);
    })
    .await;
}

/// Accept M17: an urgent message afterwards comes by mail alone, and the officer reads why.
#[tokio::test(flavor = "multi_thread")]
async fn an_urgent_message_after_stop_comes_by_mail_alone() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let anouk = hood.enters(town, |_| {}).await;
        sends(town, &anouk.mobile, "ARRÊT").await;
        let since = messages::mark(town);
        let message = messages::sent(town, &hood, messages::burglary()).await;
        let (mails, sms) = messages::reached(town, since);
        assert!(mails.contains(&anouk.email), "{mails:?}");
        assert!(got(town, &anouk.mobile, since.1).is_empty() && sms.contains(&hood.members[0].mobile), "{sms:?}");
        let rows = messages::recipients(town, &hood, &message).await;
        let of_anouk: Vec<_> = rows.iter().filter(|row| row.0 == anouk.membership.to_string()).collect();
        assert!(
            of_anouk.iter().any(|(_, channel, state, reason)| {
                (channel.as_str(), state.as_str(), reason.as_str()) == ("sms", "suppressed", "stopped")
            }),
            "{of_anouk:?}"
        );
    })
    .await;
}

/// Accept M17: the same SMS twice is one; a STOP that changes nothing is confirmed once in 24 hours, counted in the database.
#[tokio::test(flavor = "multi_thread")]
async fn one_confirmation_goes_out_however_often_stop_comes() {
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        let anouk = hood.enters(town, |_| {}).await;
        let confirmations = || got(town, &anouk.mobile, 0).len();
        let calls = (0..8).map(|_| hands_over(town, &anouk.mobile, "STOP", "gateway-1"));
        for heard in futures_util::future::join_all(calls).await {
            heard.expect(200);
        }
        let calls =
            (0..8).map(async |number| hands_over(town, &anouk.mobile, "STOP", &format!("other-{number}")).await);
        for heard in futures_util::future::join_all(calls).await {
            heard.expect(200);
        }
        town.delivers_everything().await;
        assert_eq!(confirmations(), 1);
        assert_eq!(noted(town).await.len(), 9, "one row for each SMS, none for a repeat");
        town.passes(23 * HOUR);
        sends(town, &anouk.mobile, "STOP").await;
        assert_eq!(confirmations(), 1, "within 24 hours, though on another day");
        town.passes(2 * HOUR);
        sends(town, &anouk.mobile, "STOP").await;
        assert_eq!(confirmations(), 2, "and a day later once more");
        assert_eq!(letters_to(town, &hood.coordinator.email).len(), 1, "the coordinator is told of what changed");
        // Two gateways may give the same name to different SMS, and one that began anew to those of different people.
        let cas = hood.enters(town, |_| {}).await;
        hands_over(town, &cas.mobile, "HELP", "gateway-1").await.expect(200);
        hands_over(town, &cas.mobile, "STOP", "gateway-1").await.expect(200);
        assert!(stopped(town, &hood.coordinator, &cas).await);
        let bert = hood.enters(town, |_| {}).await;
        town.open_get(&filled_in(town, 1, &bert.mobile, "STOP", "gateway-1")).await.expect(200);
        assert!(stopped(town, &hood.coordinator, &bert).await);
    })
    .await;
}

/// Whoever stops the last channel stays a member, is told that nothing comes any more, and stands on the list as such.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_channel_can_be_stopped() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let anouk = hood.enters(town, |new| new.email = None).await;
        let bert = hood.enters(town, |_| {}).await;
        assert_eq!(listed(town, &hood, "reachable=false").await, Vec::<String>::new());
        sends(town, &anouk.mobile, "STOP").await;
        let view = shown(town, &hood.coordinator, &anouk).await;
        assert_eq!((&view.json["status"], &view.json["reachable"]), (&"active".into(), &false.into()));
        assert_eq!(listed(town, &hood, "reachable=false").await, [anouk.membership.to_string()]);
        assert_eq!(listed(town, &hood, "reachable=true").await.len(), 2);
        let text = got(town, &anouk.mobile, 0).remove(0);
        assert!(text.contains("aucun message") && text.contains("Vous restez membre"), "{text}");
        // E-mail stopped first, then SMS.
        let link = delivery::unsubscribe_url(&town.config, town.database.keys(), bert.membership);
        town.post_form(link.trim_start_matches(&town.base), "List-Unsubscribe=One-Click").await.expect(200);
        assert_eq!(shown(town, &hood.coordinator, &bert).await.json["reachable"], true);
        sends(town, &bert.mobile, "STOP").await;
        assert!(got(town, &bert.mobile, 0)[0].contains("aucun message"));
        assert_eq!(listed(town, &hood, "reachable=false&stopped=email").await, [bert.membership.to_string()]);
    })
    .await;
}

/// The answer comes in the language of the member, and says what it has to say in each.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_answered_in_their_language() {
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        for (language, said) in [
            (Language::Fr, ["plus de SMS", "à nouveau", "Personne ne lit"]),
            (Language::Nl, ["geen sms meer", "weer sms", "Niemand leest"]),
            (Language::De, ["keine SMS mehr", "wieder SMS", "liest niemand"]),
            (Language::En, ["no more text", "messages again", "Nobody reads"]),
        ] {
            let member = hood.enters(town, |new| new.language = language).await;
            for word in ["stop", "start", "help"] {
                sends(town, &member.mobile, word).await;
            }
            let texts = got(town, &member.mobile, 0);
            assert_eq!(texts.len(), 3, "{texts:?}");
            for (text, part) in texts.iter().zip(said) {
                assert!(text.contains(part) && text.contains("101") && text.contains("112"), "{part:?} in {text}");
                assert!(text.contains("Lion") || text.contains(':'), "{text}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn start_undoes_a_stop_of_the_same_number_and_nothing_else() {
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        let (anouk, bert) = (hood.enters(town, |_| {}).await, hood.enters(town, |_| {}).await);
        sends(town, &anouk.mobile, "STOP").await;
        sends(town, &bert.mobile, "START").await;
        assert!(stopped(town, &hood.coordinator, &anouk).await);
        assert!(got(town, &bert.mobile, 0)[0].contains("Personne ne lit"), "START that undoes nothing is explained");
        sends(town, &anouk.mobile, "START").await;
        assert!(!stopped(town, &hood.coordinator, &anouk).await);
        // Stopped by other means: not by this number.
        let id = anouk.membership;
        town.db(move |tx| {
            let now = tx.now()?;
            diesel::update(memberships::table.find(id))
                .set(memberships::sms_stopped_at.eq(Some(now)))
                .execute(tx.db())?;
            Ok(())
        })
        .await;
        sends(town, &anouk.mobile, "START").await;
        assert!(stopped(town, &hood.coordinator, &anouk).await);
        // Another number since: START of the old one undoes nothing, START of the new one neither.
        let chris = hood.enters(town, |_| {}).await;
        sends(town, &chris.mobile, "STOP").await;
        let membership = chris.membership;
        town.db(move |tx| {
            let person = memberships::table.find(membership).select(memberships::person_id).first(tx.db())?;
            people::add_contact(tx, person, ContactKind::Mobile, "+32471999998", ContactState::Verified)
        })
        .await;
        for number in [chris.mobile.as_str(), "+32471999998"] {
            sends(town, number, "START").await;
            assert!(stopped(town, &hood.coordinator, &chris).await);
        }
        // Each change is answered, up to a bound.
        for _ in 0..5 {
            for word in ["START", "STOP"] {
                sends(town, &bert.mobile, word).await;
            }
        }
        assert!(got(town, &bert.mobile, 0).len() <= 6, "{:?}", got(town, &bert.mobile, 0));
        assert!(stopped(town, &hood.coordinator, &bert).await);
    })
    .await;
}

/// Nobody reads what comes: it is not kept, and the sender is told once a day whom to call.
#[tokio::test(flavor = "multi_thread")]
async fn anything_else_is_answered_once_a_day_and_kept_nowhere() {
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        let anouk = hood.enters(town, |_| {}).await;
        let before = town.post_office.mails().len();
        let mark = logs::mark();
        for text in ["Au secours, voleur rue zzcanaryzz 7", "zzcanaryzz", "👍", "Stop au voleur rue zzcanaryzz"] {
            sends(town, &anouk.mobile, text).await;
        }
        let answers = got(town, &anouk.mobile, 0);
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(answers[0].contains("appelez le 101"), "{}", answers[0]);
        assert!(!stopped(town, &hood.coordinator, &anouk).await);
        assert_eq!(town.post_office.mails().len(), before, "nobody else is told");
        town.passes(25 * HOUR);
        sends(town, &anouk.mobile, "zzcanaryzz").await;
        assert_eq!(got(town, &anouk.mobile, 0).len(), 2);
        assert!(noted(town).await.iter().all(|(word, _, changed)| word == "other" && *changed == 0));
        assert!(!logs::since(mark).contains("zzcanaryzz"));
        // A week later what came is forgotten.
        town.passes(8 * 24 * HOUR);
        worker::minute(&town.database).await.unwrap();
        assert_eq!(noted(town).await, []);
    })
    .await;
}

/// Security T16, T28: a number that nobody gave as theirs gets nothing and leaves nothing; one that was never confirmed is
/// obeyed and not written to.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_not_answered() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let traces = async || {
            town.db(|tx| {
                Ok((
                    inbound_sms::table.count().get_result::<i64>(tx.db())?,
                    throttles::table.count().get_result::<i64>(tx.db())?,
                    deliveries::table.count().get_result::<i64>(tx.db())?,
                ))
            })
            .await
        };
        let before = traces().await;
        for from in ["+32471888777", "Proximus", "8585", "+447700900123", "112", "+", "%00", "02 352 00 00"] {
            for text in ["STOP", "HELP", "START", "zzcanaryzz"] {
                sends(town, from, text).await;
            }
        }
        assert_eq!(traces().await, before);
        assert!(town.post_office.sms().is_empty());

        let anouk = hood.enters(town, |new| new.mobile = None).await;
        let membership = anouk.membership;
        town.db(move |tx| {
            let person = memberships::table.find(membership).select(memberships::person_id).first(tx.db())?;
            people::add_contact(tx, person, ContactKind::Mobile, "+32471888777", ContactState::Unverified)
        })
        .await;
        for text in ["HELP", "zzcanaryzz", "STOP"] {
            sends(town, "+32471888777", text).await;
        }
        assert!(stopped(town, &hood.coordinator, &anouk).await);
        assert!(town.post_office.sms().is_empty(), "no SMS before the owner of the number agreed");
    })
    .await;
}

/// Accept M17, security T28: a callback that fails authentication changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_callback_changes_nothing() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let victim = &hood.members[0];
        let path = filled_in(town, 0, &victim.mobile, "STOP", "x");
        let (base, query) = path.split_once('?').unwrap();
        let token = base.trim_start_matches("/hooks/sms/inbound/");
        let last = if token.ends_with('A') { 'B' } else { 'A' };
        let keys = town.database.keys();
        let leave = vigie::access::link_token(keys, vigie::access::Purpose::Receipt, 1);
        let unknown_gateway = vigie::access::link_token(keys, vigie::access::Purpose::InboundSms, 99);
        for forged in [&format!("{}{last}", &token[..42]), &token[..20], "x", &leave, &unknown_gateway] {
            town.open_get(&format!("/hooks/sms/inbound/{forged}?{query}")).await.problem(404, "not-found");
        }
        town.open_get(&format!("/hooks/sms/{token}?type=1")).await.expect(404);
        for wrong in ["?from=x", "?from=x&text=STOP", "?from=&text=STOP&id=1", "?from=x&text=STOP&id=1&to=2"] {
            town.open_get(&format!("{base}{wrong}")).await.expect(422);
        }
        assert!(!stopped(town, &hood.coordinator, victim).await);
        assert_eq!(noted(town).await, []);
        town.delivers_everything().await;
        assert!(town.post_office.sms().is_empty());
    })
    .await;
}

/// Security T28: a flood from one number is dropped, but for the STOP it may end with; nobody else notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_one_number_is_dropped_and_its_stop_is_not() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let anouk = hood.enters(town, |_| {}).await;
        let mark = logs::mark();
        for number in 0..60 {
            hands_over(town, &anouk.mobile, "zzcanaryzz", &format!("flood-{number}")).await.expect(200);
        }
        town.delivers_everything().await;
        assert_eq!((noted(town).await.len(), got(town, &anouk.mobile, 0).len()), (20, 1));
        assert!(logs::since(mark).contains("too many SMS of one number"));
        sends(town, &anouk.mobile, "STOP").await;
        assert!(stopped(town, &hood.coordinator, &anouk).await);
        assert_eq!(got(town, &anouk.mobile, 0).len(), 1, "done, without a word");
        assert_eq!(letters_to(town, &hood.coordinator.email).len(), 1);
        for number in 0..40 {
            hands_over(town, &anouk.mobile, ["START", "STOP"][number % 2], &format!("more-{number}")).await.expect(200);
        }
        assert!(stopped(town, &hood.coordinator, &anouk).await);
        assert_eq!((noted(town).await.len(), letters_to(town, &hood.coordinator.email).len()), (20, 1));
        sends(town, &hood.members[0].mobile, "STOP").await;
        assert!(stopped(town, &hood.coordinator, &hood.members[0]).await);
        town.passes(25 * HOUR);
        sends(town, &anouk.mobile, "START").await;
        assert!(!stopped(town, &hood.coordinator, &anouk).await);
    })
    .await;
}

/// Whoever has left may stop too: a correction would still reach them. Nobody is told of it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_left_may_stop_too() {
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        let anouk = hood.enters(town, |new| new.email = Some(EmailAddress::parse("gone@lion.example").unwrap())).await;
        let link = delivery::leave_url(&town.config, town.database.keys(), anouk.membership);
        town.post_form(link.trim_start_matches(&town.base), "confirm=yes").await.expect(200);
        sends(town, &anouk.mobile, "STOP").await;
        assert!(stopped(town, &hood.coordinator, &anouk).await);
        let answers = got(town, &anouk.mobile, 0);
        assert_eq!(answers.len(), 1);
        assert!(!answers[0].contains("membre") && !answers[0].contains("START"), "that would be wrong: {answers:?}");
        assert!(letters_to(town, &hood.coordinator.email).is_empty());
        sends(town, &anouk.mobile, "START").await;
        assert!(stopped(town, &hood.coordinator, &anouk).await, "what has ended does not begin again");
    })
    .await;
}

/// Begins a transaction that keeps a partnership's members as they are, does something, and commits only after a while.
async fn slowly(
    town: &Town,
    hood: &Neighbourhood,
    begun: tokio::sync::oneshot::Sender<()>,
    work: impl FnOnce(&mut Tx<'_>) -> Result<(), StorageError> + Send + 'static,
) {
    let partnership = hood.partnership;
    town.db(move |tx| {
        vigie::members::hold_recipients(tx, partnership)?;
        begun.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(400));
        work(tx)
    })
    .await;
}
/// Accept M17, M19: a message that is being written down while STOP, an unsubscription or a farewell comes in. It was
/// planned for a member who was still there, for tomorrow; it does not leave tomorrow.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_written_down_while_somebody_stops_is_stopped_too() {
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        for how in ["sms", "unsubscribe", "leave"] {
            let member = hood.enters(town, |_| {}).await;
            let (begun, has_begun) = tokio::sync::oneshot::channel();
            let membership = member.membership;
            let writing = slowly(town, &hood, begun, move |tx| plan_for(tx, membership));
            let stopping = async {
                has_begun.await.unwrap();
                let (config, keys) = (&town.config, town.database.keys());
                match how {
                    "sms" => hands_over(town, &member.mobile, "STOP", "while").await,
                    "unsubscribe" => {
                        let url = delivery::unsubscribe_url(config, keys, member.membership);
                        town.post_form(url.trim_start_matches(&town.base), "List-Unsubscribe=One-Click").await
                    }
                    _ => {
                        let url = delivery::leave_url(config, keys, member.membership);
                        town.post_form(url.trim_start_matches(&town.base), "confirm=yes").await
                    }
                }
                .expect(200);
            };
            tokio::join!(writing, stopping);
            let waits = waiting(town, member.membership).await;
            let states: Vec<State> = waits.into_iter().map(|(_, state, _)| state).collect();
            let expected = match how {
                "sms" => [State::Planned, State::Cancelled],
                "unsubscribe" => [State::Cancelled, State::Planned],
                _ => [State::Cancelled, State::Cancelled],
            };
            assert_eq!(states, expected, "{how}");
        }
    })
    .await;
}
/// The STOP of the first member, which takes its time between the word and the commit; `begun` tells when it is on its way.
async fn stops_slowly(town: &Town, hood: &Neighbourhood, begun: tokio::sync::oneshot::Sender<()>) {
    let (partnership, membership) = (hood.partnership, hood.members[0].membership);
    town.db(move |tx| {
        tx.lock("partnerships", partnership)?;
        let now = tx.now()?;
        diesel::update(memberships::table.find(membership))
            .set(memberships::sms_stopped_at.eq(Some(now)))
            .execute(tx.db())?;
        begun.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(400));
        Ok(())
    })
    .await;
}
/// The other way round: an approval waits for a STOP that is being done, and leaves that member out.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_waits_for_a_stop_that_is_being_done() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let anouk = &hood.members[0];
        let message = messages::submitted(town, &hood, &hood.coordinator, messages::burglary()).await;
        let seen = messages::preview(town, &hood.officer, &message).await;
        hood.officer.steps_up(town).await;
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let stopping = stops_slowly(town, &hood, begun);
        let approving = async {
            has_begun.await.unwrap();
            let path = messages::at(&message, "approval");
            hood.officer.posts(town, &path, messages::approval(&seen)).await.expect(202);
        };
        tokio::join!(stopping, approving);
        let rows = waiting(town, anouk.membership).await;
        assert!(rows.contains(&(Channel::Sms, State::Suppressed, Some("stopped".to_owned()))), "{rows:?}");
    })
    .await;
}

/// And the other channel, where a mail failed: nothing is called up for whoever stops it at this moment.
#[tokio::test(flavor = "multi_thread")]
async fn the_other_channel_waits_for_a_stop_that_is_being_done() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let anouk = &hood.members[0];
        let address = anouk.email.clone();
        town.post_office.smtp.behave(move |relay| relay.refuses.extend([address]));
        messages::sent(town, &hood, messages::quiet("meeting")).await;
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let stopping = stops_slowly(town, &hood, begun);
        let taking_over = async {
            has_begun.await.unwrap();
            take_over(&town.database, Look::Recent).await.unwrap()
        };
        let ((), called) = tokio::join!(stopping, taking_over);
        assert_eq!(called, 0);
        let rows = waiting(town, anouk.membership).await;
        assert!(rows.contains(&(Channel::Sms, State::Suppressed, Some("stopped".to_owned()))), "{rows:?}");
    })
    .await;
}

/// Accept M17, with the real gateway: what a phone wrote, in either alphabet, comes to us as `vigie hooks` asks for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_gateway_hands_over_what_a_phone_wrote() {
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        let kannel = Kannel::own_asking(Some(&GATEWAYS[0].inbound_url(&town.config, town.database.keys())));
        for (came, (form, text, ends)) in [
            ("text", "STOP", true),
            ("text", "Stop, svp!", true),
            ("text", "arrêt", true),
            ("ucs2", "%00A%00r%00r%00%ea%00t", true),
            ("text", "Stop the thief in Rue du Lion", false),
        ]
        .into_iter()
        .enumerate()
        {
            let member = hood.enters(town, |_| {}).await;
            kannel.receives(&member.mobile, form, text);
            let patience = std::time::Instant::now() + Duration::from_secs(20);
            while noted(town).await.len() <= came {
                assert!(std::time::Instant::now() < patience, "{form} {text:?} did not come");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert_eq!(stopped(town, &hood.coordinator, &member).await, ends, "{form} {text:?}");
        }
    })
    .await;
}
