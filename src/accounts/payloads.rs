//! What goes over the wire.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::password::Password;
use crate::access::{ACCESS_TOKEN_LIFE, Flag, Grant, OpenedSession, Role, SessionRow};
use crate::http::{Described, Operation, Problem};
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::Line;
use crate::values::PersonName;
use crate::values::Timestamp;
use crate::values::of;

/// An address and its password.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct SignInRequest {
    /// The address the invitation went to.
    pub(super) email: EmailAddress,
    /// The password.
    pub(super) password: Password,
}
/// A refresh token, used once.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct RenewalRequest {
    /// The latest refresh token of the session.
    #[schema(inline)]
    pub(super) refresh_token: Line<100>,
}
/// A session, and the two tokens it goes on with.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedInView {
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// How long the access token is good.
    expires_in_seconds: u64,
    /// Renews the session, once, within 14 days.
    refresh_token: String,
    #[schema(value_type = uuid::Uuid)]
    session: Id<of::Session>,
    #[schema(value_type = uuid::Uuid)]
    account: Id<of::Account>,
}
impl SignedInView {
    /// From a session just opened or renewed.
    pub(super) fn new(opened: OpenedSession, access_token: String) -> Self {
        Self {
            access_token,
            token_type: "Bearer",
            expires_in_seconds: ACCESS_TOKEN_LIFE.as_secs(),
            refresh_token: opened.refresh_token,
            session: opened.session,
            account: opened.account,
        }
    }
}

/// Which of one's own sessions to list.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionsQuery {
    /// How many at most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    pub(super) limit: Option<u8>,
    /// The key of the page before.
    #[param(value_type = Option<String>, format = Uuid)]
    pub(super) after: Option<Id<of::Session>>,
}
/// One of one's own sign-ins.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionView {
    #[schema(value_type = uuid::Uuid)]
    pub(super) id: Id<of::Session>,
    /// Signed in.
    created_at: Timestamp,
    /// Last renewed.
    last_used_at: Timestamp,
    /// Ends by itself, unless it is renewed.
    expires_at: Timestamp,
    /// The session that asks.
    here: bool,
}
impl SessionView {
    /// As seen from the session `here`.
    pub(super) fn new(row: &SessionRow, here: Id<of::Session>) -> Self {
        Self {
            id: row.id,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            here: row.id == here,
        }
    }
}

/// The password again.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct StepUpRequest {
    /// The password.
    pub(super) password: Password,
}
/// The proof that was just given.
#[derive(Serialize, ToSchema)]
pub(super) struct SteppedUpView {
    /// Until then it counts, in this session.
    pub(super) stepped_up_until: Timestamp,
}

/// Who one is.
#[derive(Serialize, ToSchema)]
pub(super) struct MeView {
    #[schema(value_type = uuid::Uuid)]
    pub(super) account: Id<of::Account>,
    #[schema(value_type = uuid::Uuid)]
    pub(super) session: Id<of::Session>,
    pub(super) name: Option<PersonName>,
    pub(super) language: Language,
    /// Enough to recognise one's own.
    pub(super) email_masked: String,
    /// What one may do where, in force now.
    pub(super) grants: Vec<MyGrantView>,
    /// Until then the last fresh proof of identity counts; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stepped_up_until: Option<Timestamp>,
}
/// Power in force now.
#[derive(Serialize, ToSchema)]
pub(super) struct MyGrantView {
    #[schema(value_type = uuid::Uuid)]
    id: Id<of::Grant>,
    role: Role,
    place: MyPlaceView,
    flags: Vec<Flag>,
    from: Timestamp,
    /// Ends by itself then; absent when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}
/// How far a grant reaches.
#[derive(Serialize, ToSchema)]
pub(super) struct MyPlaceView {
    /// `nation`, `province`, `municipality`, `zone` or `partnership`.
    kind: &'static str,
    /// `be`, the code of the province, the NIS code, or the identifier.
    reference: String,
}
impl From<&Grant> for MyGrantView {
    fn from(grant: &Grant) -> Self {
        let (kind, reference) = grant.reach.stored();
        Self {
            id: grant.id,
            role: grant.role,
            place: MyPlaceView { kind, reference },
            flags: grant.flags.clone(),
            from: grant.from_at,
            until: grant.until_at,
        }
    }
}

/// The old password and the one to come.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePasswordRequest {
    /// The password as it is.
    pub(super) old_password: Password,
    /// At least 12 characters, or hard to guess; without one's own name or address.
    pub(super) new_password: Password,
}
/// Whose password was forgotten.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordResetRequest {
    /// The address one signs in with.
    pub(super) email: EmailAddress,
}
/// The same for every address.
#[derive(Serialize, ToSchema)]
pub(super) struct PasswordResetView {
    detail: &'static str,
}
impl PasswordResetView {
    pub(super) const SAME: Self =
        Self { detail: "if somebody can sign in with this address, a letter is on its way; it is good for one hour" };
}
/// The token of a letter, and the password to come.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ChosenPassword {
    /// The last part of the link in the letter.
    #[schema(inline)]
    pub(super) token: Line<100>,
    /// At least 12 characters, or hard to guess; without one's own name or address.
    pub(super) password: Password,
}

/// The language of a page.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    /// In place of the reader's own.
    #[param(inline)]
    pub(super) lang: Option<Language>,
}
/// The form of a page on which a password is chosen.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordForm {
    /// The password.
    #[validate(length(max = 1000))]
    #[schema(max_length = 1000)]
    pub(super) password: String,
    /// The same once more.
    #[validate(length(max = 1000))]
    #[schema(max_length = 1000)]
    pub(super) password_repeat: String,
}
/// The token in the path of a page.
pub(super) struct PathToken(pub(super) String);
impl FromRequest for PathToken {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.match_info().get("token").unwrap_or_default().to_owned())))
    }
}
impl Described for PathToken {
    /// The door describes the path.
    fn describe(_: &mut Operation) {}
}
