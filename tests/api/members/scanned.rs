//! Programs that look at every link of a mail before the member does (accept M19, security T22).

use diesel::prelude::*;
use vigie::delivery;
use vigie::storage::schema::{deliveries, memberships};
use vigie::values::{Id, Timestamp, of};

use crate::messages;
use crate::support::post_office::Mail;
use crate::support::{Town, on_both};

type Row = (Id<of::Membership>, String, Option<Timestamp>, Option<Timestamp>, i64);
async fn memberships_now(town: &Town) -> (Vec<Row>, i64) {
    town.db(|tx| {
        let rows = memberships::table
            .order(memberships::id)
            .select((
                memberships::id,
                memberships::status,
                memberships::email_stopped_at,
                memberships::sms_stopped_at,
                memberships::version,
            ))
            .load(tx.db())?;
        Ok((rows, deliveries::table.count().get_result(tx.db())?))
    })
    .await
}
/// Every address in a mail that leads to us, in its headers, its text and its HTML.
fn links(town: &Town, mail: &Mail) -> Vec<String> {
    let (_, text, html) = messages::read(mail);
    let html = html.replace("&#x2f;", "/").replace("&amp;", "&");
    let all = format!("{} {text} {html}", mail.header("List-Unsubscribe").unwrap());
    let ends = |c: char| c.is_whitespace() || "<>\"')".contains(c);
    let mut found: Vec<String> =
        all.split(ends).filter_map(|word| Some(word.strip_prefix(&town.base)?.to_owned())).collect();
    found.sort();
    found.dedup();
    found
}

/// Accept M19: when any URL in our mail is fetched with GET, then no state changes; and a POST takes effect at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_that_opens_every_link_changes_nothing() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        messages::sent(town, &hood, messages::burglary()).await;
        let mails = town.post_office.mails();
        let mail = mails.iter().find(|mail| mail.to() == hood.members[0].email).unwrap();
        let links = links(town, mail);
        for begins in ["/p/unsubscribe/", "/p/leave/"] {
            assert!(links.iter().any(|link| link.starts_with(begins)), "{begins} in {links:?}");
        }
        let before = memberships_now(town).await;
        for link in &links {
            for _ in 0..100 {
                let status = town.open_get(link).await.status;
                assert!(status < 400, "{link}: {status}");
            }
            for method in ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"] {
                let status = town.raw(method, link, None, &[], Vec::new()).await.status().as_u16();
                assert!(method == "HEAD" || status >= 400, "{method} {link}: {status}");
            }
        }
        assert_eq!(memberships_now(town).await, before, "looking changed something");

        let link = links.iter().find(|link| link.starts_with("/p/unsubscribe/")).unwrap();
        assert_eq!(mail.header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
        let first = town.post_form(link, "List-Unsubscribe=One-Click").await.expect(200);
        let again = town.post_form(link, "List-Unsubscribe=One-Click").await.expect(200);
        assert_eq!(first.text, again.text, "the same answer to a repeat");
        let after = memberships_now(town).await.0;
        for (was, is) in before.0.iter().zip(&after) {
            let mine = is.0 == hood.members[0].membership;
            assert_eq!(is.2.is_some(), mine, "one membership, and no other");
            assert_eq!((&was.1, was.3, was.4 + i64::from(mine)), (&is.1, is.3, is.4), "nothing else, and once");
        }
        // Nobody is written to by a channel they stopped, whatever comes.
        let since = messages::mark(town);
        messages::sent(town, &hood, messages::burglary()).await;
        let (by_mail, by_sms) = messages::reached(town, since);
        assert!(!by_mail.contains(&hood.members[0].email) && by_mail.contains(&hood.members[1].email), "{by_mail:?}");
        assert!(by_sms.contains(&hood.members[0].mobile), "{by_sms:?}");
    })
    .await;
}

/// RFC 8058 lets a mail program post a form of either kind, without cookies and without following anything.
#[tokio::test(flavor = "multi_thread")]
async fn one_click_may_be_posted_in_either_form() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let path = |member: usize| {
            let url = delivery::unsubscribe_url(&town.config, town.database.keys(), hood.members[member].membership);
            url.trim_start_matches(&town.base).to_owned()
        };
        let parts = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        let multipart = [("content-type", "multipart/form-data; boundary=b")];
        let answered = town.raw("POST", &path(0), None, &multipart, parts.as_bytes().to_vec()).await;
        assert_eq!((answered.status().as_u16(), answered.headers().get("set-cookie")), (200, None));
        // The token of one with the number of another.
        let (mine, other) = (path(0), path(1));
        let forged = format!("{}{}", &other[..other.len() - 21], &mine[mine.len() - 21..]);
        town.post_form(&forged, "List-Unsubscribe=One-Click").await.expect(404);
        let stopped: Vec<bool> = memberships_now(town).await.0.iter().take(2).map(|row| row.2.is_some()).collect();
        assert_eq!(stopped, [true, false]);
    })
    .await;
}
