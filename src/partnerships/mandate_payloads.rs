//! What the routes of mandates read and answer.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::mandate::{Declaration, MandateStatus, Screening, ScreeningOutcome};
use crate::access::Flag;
use crate::access::Role;
use crate::accounts::Invitation;
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::Line;
use crate::values::PersonName;
use crate::values::PhoneNumber;
use crate::values::Timestamp;
use crate::values::of;

// The contract's macro takes names of types without parameters.
type EndReason = Line<200>;
type ZoneId = Id<of::Zone>;
type MandateId = Id<of::Mandate>;
type AccountId = Id<of::Account>;

/// Who gets a mandate.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct HolderBody {
    /// The address with which they sign in.
    #[schema(inline)]
    email: EmailAddress,
    /// Their name.
    name: PersonName,
    /// The language they are written to in.
    language: Language,
    /// Their mobile number.
    #[schema(inline)]
    mobile: Option<PhoneNumber>,
}
impl HolderBody {
    pub(super) fn invited(self, role: Role, inviter: String) -> Invitation {
        let Self { email, name, language, mobile } = self;
        Invitation { email, name, language, mobile, role, inviter }
    }
}
/// An institution's mandate.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct InstitutionBody {
    /// ZAD, MUN, PRV, EXP or FED.
    pub(super) role: Role,
    /// Of a zone administrator: the zone.
    #[schema(inline)]
    pub(super) zone: Option<ZoneId>,
    /// Of a municipality: its NIS code.
    #[validate(length(max = 5))]
    #[schema(max_length = 5)]
    pub(super) municipality: Option<String>,
    /// Of a provincial group: the code of the province.
    #[validate(length(max = 3))]
    #[schema(max_length = 3)]
    pub(super) province: Option<String>,
    /// To whom.
    #[validate(nested)]
    pub(super) holder: HolderBody,
    /// Until when; without it until it is ended.
    pub(super) until: Option<Timestamp>,
}
/// An officer's mandate.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct OfficerBody {
    /// To whom.
    #[validate(nested)]
    pub(super) holder: HolderBody,
    /// On the duty roster.
    #[serde(default)]
    pub(super) duty: bool,
    /// Until when; without it until it is ended.
    pub(super) until: Option<Timestamp>,
}
/// A nomination.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct NominationBody {
    /// COO, DEP or STG.
    pub(super) role: Role,
    /// Who.
    #[validate(nested)]
    pub(super) holder: HolderBody,
    /// What the candidate declared; every statement is needed (duties C1 to C5).
    pub(super) declaration: Declaration,
    /// Until when; the screening may end it earlier.
    pub(super) until: Option<Timestamp>,
}
/// What a screening came to. There is no room for why.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ScreeningBody {
    /// What it came to.
    outcome: ScreeningOutcome,
    /// When it was done.
    screened_on: Timestamp,
    /// Until when it counts.
    valid_until: Timestamp,
}
impl From<ScreeningBody> for Screening {
    fn from(body: ScreeningBody) -> Self {
        Self { outcome: body.outcome, screened_at: body.screened_on, valid_until: body.valid_until }
    }
}
/// A confirmation.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmationBody {
    /// The members approved; a coordinator needs it.
    #[serde(default)]
    pub(super) members_approval: bool,
}
/// Why a mandate ends.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct MandateEndBody {
    /// The reason, in short; only the police see it.
    #[schema(inline)]
    pub(super) reason: EndReason,
}
/// A screening. For officers of the zone alone.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScreeningView {
    /// What it came to.
    outcome: ScreeningOutcome,
    /// When it was done.
    screened_on: Timestamp,
    /// Until when it counts.
    valid_until: Timestamp,
}
impl From<Screening> for ScreeningView {
    fn from(screening: Screening) -> Self {
        Self { outcome: screening.outcome, screened_on: screening.screened_at, valid_until: screening.valid_until }
    }
}
/// Where a mandate stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MandatePlaceView {
    /// nation, province, municipality, zone or partnership.
    pub(super) kind: &'static str,
    /// Its code or identifier.
    pub(super) reference: String,
}
/// A mandate.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MandateView {
    /// Its identifier.
    #[schema(inline)]
    pub(super) id: MandateId,
    /// The account that holds it.
    #[schema(inline)]
    pub(super) account: AccountId,
    /// Who holds it; absent once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<PersonName>,
    /// As what.
    pub(super) role: Role,
    /// Over what.
    pub(super) place: MandatePlaceView,
    /// What more it says.
    pub(super) flags: Vec<Flag>,
    /// Where it stands.
    pub(super) status: MandateStatus,
    /// From when.
    pub(super) from: Timestamp,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ended_at: Option<Timestamp>,
    /// Why it ended. For officers of the zone alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_reason: Option<String>,
    /// Its screening. For officers of the zone alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) screening: Option<ScreeningView>,
    /// For If-Match, as `"v3"`.
    pub(super) version: i64,
}
/// Which mandates.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct MandateQuery {
    /// As what.
    #[param(inline)]
    pub(super) role: Option<Role>,
    /// Where it stands.
    #[param(inline)]
    pub(super) status: Option<MandateStatus>,
    /// Rows of a page.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    pub(super) limit: Option<u8>,
    /// The `next` of the page before.
    #[param(inline)]
    pub(super) after: Option<MandateId>,
}
