//! The verbs about members, as types.

use super::store;
use crate::access::{Actor, Link, Located, Permission, Purpose, Target};
use crate::partnerships;
use crate::partnerships::PartnershipTarget;
use crate::people;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// A contact of a member, at the place of their partnership.
#[derive(Debug, Clone, Copy)]
pub(super) struct ContactTarget {
    /// The member.
    pub(super) member: Id<of::Membership>,
    /// The contact.
    pub(super) contact: Id<of::ContactPoint>,
}
impl Target for ContactTarget {
    type Path = (Id<of::Membership>, Id<of::ContactPoint>);
    fn locate(
        tx: &mut Tx<'_>,
        actor: &Actor,
        permission: Permission,
        (member, contact): Self::Path,
    ) -> Result<Option<Located<Self>>, StorageError> {
        let Some(found) = store::find(tx, member)? else { return Ok(None) };
        if people::contact_owner(tx, contact)? != Some(found.person) {
            return Ok(None);
        }
        let place = MemberTarget::locate(tx, actor, permission, member)?.map(|located| located.place);
        Ok(place.map(|place| Located::at(Self { member, contact }, place)))
    }
    fn name(&self) -> String {
        format!("contact:{}", self.contact)
    }
}
/// A member, at the place of their partnership.
#[derive(Debug, Clone, Copy)]
pub struct MemberTarget(pub Id<of::Membership>);
impl Target for MemberTarget {
    type Path = Id<of::Membership>;
    fn locate(
        tx: &mut Tx<'_>,
        _: &Actor,
        _: Permission,
        path: Self::Path,
    ) -> Result<Option<Located<Self>>, StorageError> {
        let Some(partnership) = store::partnership_of(tx, path)? else { return Ok(None) };
        Ok(partnerships::place_of(tx, partnership)?.map(|place| Located::at(Self(path), place)))
    }
    fn name(&self) -> String {
        format!("member:{}", self.0)
    }
}

crate::actions! {
    ListMembers on PartnershipTarget: "Lists the members of a partnership, contacts masked; without `status` those who have not ended.";
    EnterMember on PartnershipTarget: "Enters somebody from a signed paper form; the admission follows.";
    ReadMember on MemberTarget: "Reads one member, contacts masked.";
    UpdateMember on MemberTarget: "Corrects a member's name, address or language.";
    AdmitMember on MemberTarget: "Admits an applicant.";
    RefuseMember on MemberTarget: "Refuses an applicant for a lawful reason; the applicant is told.";
    EndMembership on MemberTarget: "Records that a member died, moved or is entered twice.";
    ClearSuspension on ContactTarget: "Says that a contact works again: messages go to it from now on.";
    RevealContacts on MemberTarget: "Shows one member's contacts in full, for a reason; counted and recorded.";
}

crate::opens! {
    Apply: "Asks to join a partnership; the answer is the same whether or not the person is known already.";
}

macro_rules! links { ($($name:ident for $purpose:ident: $summary:literal;)+) => { $(
    pub(super) enum $name {}
    impl Link for $name {
        const NAME: &'static str = stringify!($name);
        const SUMMARY: &'static str = $summary;
        const PURPOSE: Purpose = Purpose::$purpose;
    }
)+ } }
links! {
    ConfirmContact for ConfirmContact: "Confirms a contact with the code that was sent to it.";
    ShowContactPage for ConfirmContact: "The page that asks for the code of a contact.";
    ConfirmContactOnPage for ConfirmContact: "Confirms a contact with the code typed on the page.";
    ShowLeavePage for Leave: "The page that asks whether to leave; changes nothing.";
    Leave for Leave: "Leaves the partnership at once, without a sign-in.";
    ShowUnsubscribePage for UnsubscribeEmail: "The page that asks whether to stop e-mail; changes nothing.";
    UnsubscribeEmail for UnsubscribeEmail: "Stops e-mail to a membership at once (RFC 8058).";
    HearSms for InboundSms: "An SMS gateway hands over an SMS that was sent to us; STOP, START and HELP are understood, nothing else is kept.";
    ShowMyData for MyData: "The page with all that is held about the member, for that member.";
}
