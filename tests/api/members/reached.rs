//! What messages are told of members.

use diesel::prelude::*;
use vigie::members::{
    MembershipStatus, NewMember, enter_active_member, enter_active_members, members_by_ids, recipients,
};
use vigie::people::{self, ContactKind, ContactState};
use vigie::storage::schema::memberships;
use vigie::values::EmailAddress;

use super::neighbourhood::{Neighbourhood, new_member};
use crate::support::on_both;

/// Duty M8: everybody who was admitted and has not gone is named, with all that decides how they are reached.
#[tokio::test(flavor = "multi_thread")]
async fn recipients_are_those_who_take_part() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let (partnership, other) = (near.partnership, near.other);
        near.applicant(town, "Waiting").await;
        town.db(move |tx| {
            let mut expected = Vec::new();
            for status in MembershipStatus::ALL {
                let id = enter_active_member(tx, new_member(partnership, &format!("S{}", status.as_str())))?;
                enter_active_member(tx, new_member(other, "Elsewhere"))?;
                let now = tx.now()?;
                let is_over = matches!(status.as_str(), "refused" | "left" | "excluded" | "anonymised");
                diesel::update(memberships::table.find(id))
                    .set((
                        memberships::status.eq(*status),
                        memberships::ended_at.eq(is_over.then_some(now)),
                        memberships::end_reason.eq(is_over.then_some("resigned")),
                    ))
                    .execute(tx.db())?;
                if status.is_enrolled() {
                    expected.push((id, *status));
                }
            }
            let found: Vec<_> = recipients(tx, partnership)?.iter().map(|r| (r.membership, r.status)).collect();
            assert_eq!(found, expected, "in the order of their memberships");
            assert_eq!(found.len(), 5);
            Ok(())
        })
        .await;
    })
    .await;
}
/// Many at once are the same as one after the other, beyond what fits into one statement too.
#[tokio::test(flavor = "multi_thread")]
async fn many_members_entered_at_once_are_each_reached_at_their_own_address() {
    on_both(async |town| {
        let partnership = Neighbourhood::found(town).await.partnership;
        town.db(move |tx| {
            let new: Vec<_> = (0..4_100)
                .map(|number| {
                    let email = EmailAddress::parse(&format!("many{number}@canari.example")).unwrap();
                    NewMember { email: Some(email), ..new_member(partnership, "Many") }
                })
                .collect();
            let ids = enter_active_members(tx, new.clone())?;
            let found: Vec<_> = recipients(tx, partnership)?.into_iter().map(|r| (r.membership, r.email)).collect();
            let expected: Vec<_> = ids
                .into_iter()
                .zip(new)
                .map(|(id, new)| (id, new.email.map(|e| e.for_envelope().to_owned())))
                .collect();
            assert_eq!(found.len(), 4_100);
            assert!(found == expected, "somebody has another's address");
            Ok(())
        })
        .await;
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_carries_what_decides_the_channel() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let (partnership, id) = (near.partnership, near.member(town, "Anouk").await);
        let neighbour = near.member(town, "Bea").await;
        town.db(move |tx| {
            let all = recipients(tx, partnership)?;
            let anouk = &all[0];
            assert_eq!((anouk.membership, all[1].membership), (id, neighbour));
            assert_eq!(anouk.email.as_deref(), Some("anouk@canari.example"));
            assert!(anouk.mobile.as_deref().is_some_and(|mobile| mobile.starts_with("+32470")));
            assert!(anouk.email_usable && anouk.mobile_usable && anouk.joined_at.is_some());
            assert_eq!(anouk.dwelling, all[1].dwelling, "one household");
            let contact = people::add_contact(
                tx,
                anouk.person,
                ContactKind::Email,
                "new@canari.example",
                ContactState::Unverified,
            )?;
            let unusable = recipients(tx, partnership)?;
            assert!(!unusable[0].email_usable && unusable[0].email.is_some() && unusable[0].mobile_usable);
            people::verify_contact(tx, contact)?;
            assert!(recipients(tx, partnership)?[0].email_usable);
            let masked = members_by_ids(tx, &[id])?.remove(&id).unwrap();
            assert_eq!((masked.initials.as_str(), masked.email.as_deref()), ("A. C.", Some("n***@c***")));
            Ok(())
        })
        .await;
    })
    .await;
}
/// A zone's largest partnership: ten thousand members are entered and read in one go each.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_members_are_read_at_once() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let partnership = near.partnership;
        town.db(move |tx| {
            let began = std::time::Instant::now();
            let new = (0..10_000)
                .map(|number| NewMember { mobile: None, ..new_member(partnership, &format!("Lid{number}")) })
                .collect();
            enter_active_members(tx, new)?;
            let entered = began.elapsed();
            let began = std::time::Instant::now();
            let found = recipients(tx, partnership)?;
            eprintln!("entered in {entered:?}, read in {:?}", began.elapsed());
            assert_eq!(found.len(), 10_000);
            assert!(found.iter().all(|recipient| recipient.email_usable));
            Ok(())
        })
        .await;
    })
    .await;
}
