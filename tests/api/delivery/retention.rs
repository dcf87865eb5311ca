//! Seven days after it was settled, nobody can read any more where it went.

use std::time::Duration;

use diesel::prelude::*;
use vigie::delivery::{Channel, Lane, State, enqueue_text};
use vigie::storage::schema::{contents, deliveries};
use vigie::values::{Id, Language, PhoneNumber};
use vigie::worker;

use super::desk::{HOUR, post, states};
use crate::support::{Town, on_both};

const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn kept(town: &Town) -> (i64, i64) {
    town.db(|tx| {
        Ok((
            deliveries::table.filter(deliveries::address.is_not_null()).count().get_result(tx.db())?,
            contents::table.filter(contents::body.is_not_null()).count().get_result(tx.db())?,
        ))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_letters_are_emptied_after_seven_days_and_facts_stay() {
    on_both(async |town| {
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 3, HOUR).await;
        let phone = PhoneNumber::parse("+32470000001").unwrap();
        town.db(move |tx| enqueue_text(tx, Id::new(), Language::En, &phone, "Your code is 123456".into())).await;
        town.delivers_everything().await;
        town.passes(7 * DAY);
        worker::minute(&town.database).await.unwrap();
        assert_eq!(kept(town).await, (4, 2), "to the day, not before");
        let waiting = post(town, Channel::Email, Lane::NonUrgent, "waiting", 1, 9 * DAY).await;
        town.passes(Duration::from_secs(1));
        worker::minute(&town.database).await.unwrap();
        // The message's text stays: the message itself is kept, and is no letter to one person.
        assert_eq!(kept(town).await, (1, 2));
        assert_eq!(states(town, batch).await, [(State::Accepted, 3)].into());
        // What still waits is not forgotten, however long it waits.
        town.passes(8 * DAY);
        worker::minute(&town.database).await.unwrap();
        town.delivers_everything().await;
        assert_eq!(states(town, waiting).await, [(State::Accepted, 1)].into());
    })
    .await;
}
