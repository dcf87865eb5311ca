//! The verbs of messages as types.

use super::approvals;
use super::store;
use super::watch::message_of;
use crate::access::Actor;
use crate::access::Located;
use crate::access::Permission;
use crate::access::Role;
use crate::access::Target;
use crate::access::Visible;
use crate::delivery;
use crate::delivery::alarms;
use crate::partnerships;
use crate::partnerships::PartnershipTarget;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// A message, found by its identifier; sensitive when it is urgent.
#[derive(Debug, Clone, Copy)]
pub(super) struct MessageTarget {
    /// Which.
    pub id: Id<of::Message>,
}
impl Target for MessageTarget {
    type Path = Id<of::Message>;
    fn locate(
        tx: &mut Tx<'_>,
        actor: &Actor,
        _: Permission,
        id: Id<of::Message>,
    ) -> Result<Option<Located<Self>>, StorageError> {
        let Some(whose) = store::whose(tx, id)? else { return Ok(None) };
        let Some(place) = partnerships::place_of(tx, whose.partnership)? else { return Ok(None) };
        if whose.for_the_police && !actor.is_at(Role::Officer, &place) {
            return Ok(None);
        }
        Ok(Some(Located { target: Self { id }, place, sensitive: whose.urgent }))
    }
    fn name(&self) -> String {
        format!("message:{}", self.id)
    }
}

/// A delivery, found by its number; it stands where its message does.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeliveryTarget {
    /// Which.
    pub delivery: i64,
    /// Of which message.
    pub message: Id<of::Message>,
}
impl Target for DeliveryTarget {
    type Path = i64;
    fn locate(
        tx: &mut Tx<'_>,
        actor: &Actor,
        permission: Permission,
        delivery: i64,
    ) -> Result<Option<Located<Self>>, StorageError> {
        let Some(batch) = delivery::batch_of(tx, delivery)? else { return Ok(None) };
        let Some(message) = approvals::message_of_batch(tx, batch)? else { return Ok(None) };
        let found = MessageTarget::locate(tx, actor, permission, message)?;
        Ok(found.map(|Located { place, sensitive, .. }| Located {
            target: Self { delivery, message },
            place,
            sensitive,
        }))
    }
    fn name(&self) -> String {
        format!("delivery:{}", self.delivery)
    }
}
/// An alarm about a message; what no officer can mend has no place here.
#[derive(Debug, Clone, Copy)]
pub(super) struct AlarmTarget(pub Id<of::Alarm>);
impl Target for AlarmTarget {
    type Path = Id<of::Alarm>;
    fn locate(
        tx: &mut Tx<'_>,
        actor: &Actor,
        permission: Permission,
        id: Id<of::Alarm>,
    ) -> Result<Option<Located<Self>>, StorageError> {
        let Some(alarm) = alarms::find_alarm(tx, id)? else { return Ok(None) };
        let Some(message) = message_of(&alarm.subject) else { return Ok(None) };
        let found = MessageTarget::locate(tx, actor, permission, message)?;
        Ok(found.map(|located| Located::at(Self(id), located.place)))
    }
    fn name(&self) -> String {
        format!("alarm:{}", self.0)
    }
}

crate::actions! {
    DraftMessage on PartnershipTarget: "Write a message; nothing leaves yet. In an emergency call 101 first.";
    ListMessages on PartnershipTarget: "The messages of a partnership.";
    ReadMessage on MessageTarget: "A message as it is now.";
    EditMessage on MessageTarget: "Change the words of a message that has not been approved; an earlier submission is void.";
    SubmitMessage on MessageTarget: "Hand a message to the police, who are told by mail and SMS.";
    DiscardMessage on MessageTarget: "Throw a message away that has not been approved.";
    PreviewMessage on MessageTarget: "Exactly what would go out in each language and channel, to whom, who is left out and why, and what it costs.";
    ApproveMessage on MessageTarget: "The police approve exactly what the preview showed; it leaves at once, or waits for the coordinator where the plan says so.";
    ReturnMessage on MessageTarget: "Give a message back to its author with a reason.";
    RejectMessage on MessageTarget: "Refuse a message with a reason.";
    ReleaseMessage on MessageTarget: "Pass on an approved message, or release alone what the communication plan leaves to the partnership.";
    StopMessage on MessageTarget: "Stop a message that is going out: what has not been handed over is not sent.";
    FollowUpMessage on MessageTarget: "Write an update, an end, feedback or a correction of a message that has left.";
    ReviewMessage on MessageTarget: "Look back at a message that its author approved alone.";
    ReadProgress on MessageTarget: "How far a message has come, in counts.";
    ListRecipients on MessageTarget: "Where each delivery of a message stands, masked.";
    ListDeadLetters on Visible: "What failed or expired although somebody should have got it, newest first; never with an address.";
    RequeueDeadLetter on DeliveryTarget: "Put one delivery that failed or expired back into the queue, while its message is still of use.";
    RequeueDeadLetters on MessageTarget: "Put every delivery of a message that failed or expired back into the queue, while it is still of use.";
    ListAlarms on Visible: "Alarms about urgent messages that do not leave, newest first.";
    AcknowledgeAlarm on AlarmTarget: "Take an alarm in hand, so that others know; it clears itself when its cause is gone.";
    ReadInbox on Visible: "What waits for one: approvals, revisions, releases, after-reviews.";
}

crate::opens! {
    VerifyMessage: "Whether a message with this code is real; never what it says.";
    VerifyMessagePage: "A page that says whether a message with this code is real; never what it says.";
}
