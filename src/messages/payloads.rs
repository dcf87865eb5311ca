//! What goes over the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::message::{ApprovalPolicy, AudienceRule, Class, InformationSource, Kind, Mode, Status, Texts};
use crate::access::Role;
use crate::delivery::Channel;
use crate::delivery::State;
use crate::values::Id;
use crate::values::Language;
use crate::values::Prose;
use crate::values::Timestamp;
use crate::values::of;

// The contract's derive looks into the generics of a field; a name of its own keeps it out.
type MessageId = Id<of::Message>;
type PartnershipId = Id<of::Partnership>;
type AccountId = Id<of::Account>;
type MembershipId = Id<of::Membership>;

/// A message to be written.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMessage {
    /// How pressing.
    pub class: Class,
    /// What it is.
    pub kind: Kind,
    /// Whether it is meant; `live` when left out.
    pub mode: Option<Mode>,
    /// Where the information comes from.
    pub source: InformationSource,
    /// What it says, in at least one language.
    pub texts: Texts,
    /// How many minutes it is of use: what is not handed over by then is not sent. By the plan for urgent messages, three
    /// days for others, when left out.
    #[validate(range(min = 5, max = 20160, message = "must be 5 minutes to 14 days, in minutes"))]
    #[schema(minimum = 5, maximum = 20160)]
    pub validity_minutes: Option<i32>,
}
/// An update, an end, feedback or a correction of a message.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowUp {
    /// `update`, `end`, `feedback` or `correction`.
    pub kind: Kind,
    /// Where the information comes from.
    pub source: InformationSource,
    /// What it says, in at least one language.
    pub texts: Texts,
    /// How many minutes it is of use.
    #[validate(range(min = 5, max = 20160, message = "must be 5 minutes to 14 days, in minutes"))]
    #[schema(minimum = 5, maximum = 20160)]
    pub validity_minutes: Option<i32>,
}
/// Other words.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTexts {
    /// What it says now, in at least one language.
    pub texts: Texts,
}
/// What the officer confirms (duty P3).
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Checklist {
    /// No name, address, number or plate of a person.
    pub no_nominative_data: bool,
    /// Nobody can be recognised from the description.
    pub no_recognisable_person: bool,
    /// No criterion that the law of 10 May 2007 protects.
    pub no_protected_ground: bool,
}
impl Checklist {
    /// Everything is confirmed.
    #[must_use]
    pub(super) const fn is_complete(self) -> bool {
        self.no_nominative_data && self.no_recognisable_person && self.no_protected_ground
    }
}
/// The approval of exactly what the preview showed.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct Approval {
    /// `version_hash` of the preview.
    #[validate(length(equal = 64, message = "must be the version_hash of the preview, 64 characters"))]
    #[schema(min_length = 64, max_length = 64)]
    pub version_hash: String,
    /// `plan_number` of the preview.
    #[validate(range(min = 1, message = "must be the plan_number of the preview"))]
    #[schema(minimum = 1)]
    pub plan_number: i32,
    /// The legal checklist.
    pub checklist: Checklist,
    /// Why alone, where the zone's policy asks for it.
    #[serde(default)]
    #[schema(inline)]
    pub reason: Option<Prose<500>>,
}
/// Passing on, or releasing alone, exactly what the preview showed.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    /// `version_hash` of the preview.
    #[validate(length(equal = 64, message = "must be the version_hash of the preview, 64 characters"))]
    #[schema(min_length = 64, max_length = 64)]
    pub version_hash: String,
    /// `plan_number` of the preview.
    #[validate(range(min = 1, message = "must be the plan_number of the preview"))]
    #[schema(minimum = 1)]
    pub plan_number: i32,
}
/// Why.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageReason {
    /// For those who must understand it; no personal data.
    #[schema(inline)]
    pub reason: Prose<500>,
}
/// A body without fields.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct NothingMore {}

/// A message.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct MessageView {
    /// Its identifier.
    pub id: MessageId,
    /// Whose it is.
    pub partnership: PartnershipId,
    /// The message that began the thread.
    pub thread: MessageId,
    /// How pressing.
    pub class: Class,
    /// What it is.
    pub kind: Kind,
    /// Whether it is meant.
    pub mode: Mode,
    /// Where the information comes from.
    pub source: InformationSource,
    /// Where it stands.
    pub status: Status,
    /// The message it speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrects: Option<MessageId>,
    /// The code under which anybody can see that it is real.
    pub short_code: String,
    /// How many minutes it is of use.
    pub validity_minutes: i32,
    /// What it says.
    pub texts: Texts,
    /// Number of this version.
    pub version_number: i32,
    /// Hash of this version.
    pub version_hash: String,
    /// For whom it is meant.
    pub audience: AudienceRule,
    /// Who began it.
    pub author: AccountId,
    /// As what.
    pub author_role: Role,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was handed to the police.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// When the police decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// Why it was given back, refused or stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// What to do in an emergency; always first.
    pub emergency: &'static str,
}
/// A message in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct MessageRow {
    /// Its identifier.
    pub id: MessageId,
    /// Whose it is.
    pub partnership: PartnershipId,
    /// The message that began the thread.
    pub thread: MessageId,
    /// How pressing.
    pub class: Class,
    /// What it is.
    pub kind: Kind,
    /// Whether it is meant.
    pub mode: Mode,
    /// Where it stands.
    pub status: Status,
    /// The code under which anybody can see that it is real.
    pub short_code: String,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was handed to the police.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// When the police decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
}
/// Which messages.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageFilter {
    /// Only of this class.
    pub class: Option<Class>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only in this state.
    pub status: Option<Status>,
    /// Only in this mode.
    pub mode: Option<Mode>,
    /// Only this thread.
    pub thread: Option<MessageId>,
    /// Rows on a page.
    #[validate(range(min = 1, max = 100, message = "must be 1 to 100"))]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u8>,
    /// `next` of the page before.
    pub after: Option<MessageId>,
}
/// What waits for one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct InboxRow {
    /// The message.
    pub message: MessageId,
    /// Its partnership.
    pub partnership: PartnershipId,
    /// What it waits for.
    pub waits_for: WaitsFor,
    /// How pressing.
    pub class: Class,
    /// What it is.
    pub kind: Kind,
    /// Whether it is meant.
    pub mode: Mode,
    /// Since when.
    pub since: Timestamp,
}
crate::words! {
    /// What a message in an inbox waits for.
    pub enum WaitsFor {
        /// An officer's approval.
        Approval = "approval",
        /// Its author's second thought.
        Revision = "revision",
        /// The coordinator passes it on.
        Release = "release",
        /// Another officer looks back.
        AfterReview = "after_review",
    }
}
/// Which part of the inbox.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct InboxFilter {
    /// Only what waits for this.
    pub waits_for: Option<WaitsFor>,
    /// Rows on a page.
    #[validate(range(min = 1, max = 100, message = "must be 1 to 100"))]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u8>,
    /// `next` of the page before.
    pub after: Option<MessageId>,
}
/// Exactly what would go out, and to whom.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Preview {
    /// Send this back to approve exactly this.
    pub version_hash: String,
    /// Send this back too.
    pub plan_number: i32,
    /// Every language, as it will be read.
    pub languages: Vec<PreviewLanguage>,
    /// To whom.
    pub audience: PreviewAudience,
    /// What the SMS cost.
    pub sms: PreviewCost,
}
/// One language, as it will be read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewLanguage {
    /// Which.
    pub language: Language,
    /// Subject of the mail.
    pub subject: String,
    /// The mail as text; `{{…}}` stand where each recipient's own links are put.
    pub text: String,
    /// The mail as HTML.
    pub html: String,
    /// The SMS.
    pub sms: String,
    /// `gsm7` or `ucs2`.
    pub sms_encoding: &'static str,
    /// Parts of the SMS.
    pub sms_parts: u16,
    /// The letters that make it dear.
    pub sms_costly: Vec<String>,
    /// How many members get this language on each channel.
    pub recipients: BTreeMap<String, usize>,
}
/// To whom.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewAudience {
    /// Members reached on at least one channel.
    pub members: usize,
    /// Deliveries on each channel.
    pub going: BTreeMap<String, usize>,
    /// How many are left out, by channel and reason.
    pub left_out_by_reason: BTreeMap<String, usize>,
    /// Each one left out, with the reason; the first thousand.
    pub left_out: Vec<LeftOut>,
    /// Members who get another language than their own, by their own.
    pub fallbacks: BTreeMap<String, usize>,
    /// Somebody's language has neither a text nor an agreed fallback: approval would be refused.
    pub language_missing: bool,
}
/// Somebody left out.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LeftOut {
    /// The membership.
    pub membership: MembershipId,
    /// The channel.
    pub channel: Channel,
    /// Why.
    pub reason: &'static str,
}
/// What the SMS cost.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewCost {
    /// SMS.
    pub messages: usize,
    /// Parts of all SMS.
    pub parts: u64,
    /// Price in cents.
    pub cents: u64,
}
/// How far a message has come, in counts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Progress {
    /// The message.
    pub message: MessageId,
    /// Where it stands.
    pub status: Status,
    /// Members at whom it was aimed, those left out on every channel included.
    pub members: i64,
    /// Members for whom a provider took it, on one channel or on several: each counts once.
    pub reached: i64,
    /// Every delivery that was written down.
    pub planned: i64,
    /// Handed over to a provider, by channel.
    pub handed_over: BTreeMap<String, i64>,
    /// Every state, by channel.
    pub states: BTreeMap<String, BTreeMap<String, i64>>,
    /// Left out, by channel and reason.
    pub suppressed: BTreeMap<String, i64>,
    /// Not settled yet.
    pub waiting: i64,
    /// SMS that were handed over more than three days ago, and nobody ever reported on: nobody knows whether they arrived.
    pub without_report: i64,
}
/// One recipient, masked.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecipientRow {
    /// Its number.
    pub delivery: i64,
    /// The membership.
    pub membership: Option<MembershipId>,
    /// Initials.
    pub name: String,
    /// The channel.
    pub channel: Channel,
    /// Where it stands.
    pub state: State,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
}
/// Which recipients.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct RecipientFilter {
    /// Only in this state.
    pub state: Option<State>,
    /// Rows on a page.
    #[validate(range(min = 1, max = 100, message = "must be 1 to 100"))]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u8>,
    /// `next` of the page before.
    #[validate(range(min = 0, message = "must be the `next` of a page"))]
    #[param(minimum = 0)]
    pub after: Option<i64>,
}
/// What an approval recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApprovalView {
    /// The message as it is now.
    pub message: MessageView,
    /// Why this approval was enough.
    pub policy: ApprovalPolicy,
    /// Deliveries that go out.
    pub recipients: i64,
    /// Members reached on at least one channel.
    pub members: i64,
    /// When another officer must have looked back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_review_due_at: Option<Timestamp>,
}
/// That a message is real, without what it says.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Genuineness {
    /// `genuine`, `exercise`, `stopped`, `corrected` or `unknown`.
    pub state: &'static str,
    /// Name of the partnership.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partnership: Option<String>,
    /// Name of the police zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// When it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
}
/// In which language a page is shown.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyPageQuery {
    /// Language of the page.
    pub lang: Option<Language>,
}
