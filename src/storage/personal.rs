//! Where personal data lies: every such column, the slice that answers for it, and what it is for. A house test compares
//! this list with both schemas; `privacy` exports, erases and expires by it.

/// One column that holds personal data.
#[derive(Debug, Clone, Copy)]
pub struct PersonalColumn {
    /// `table.column`, which is also what its seal is bound to.
    pub column: &'static str,
    /// The slice that answers for it.
    pub holder: &'static str,
    /// Why it is kept.
    pub purpose: &'static str,
}

const fn column(column: &'static str, holder: &'static str, purpose: &'static str) -> PersonalColumn {
    PersonalColumn { column, holder, purpose }
}

/// Name of a person.
pub const PERSONS_NAME: &str = "persons.name";
/// E-mail address or telephone number of a person.
pub const CONTACT_POINTS_VALUE: &str = "contact_points.value";
/// The address with which somebody signs in.
pub const ACCOUNTS_EMAIL: &str = "accounts.email";
/// Who invites, and to what.
pub const ACCOUNT_TOKENS_DETAILS: &str = "account_tokens.details";
/// Where a member lives or works.
pub const MEMBERSHIPS_ADDRESS: &str = "memberships.address";
/// Where one delivery goes.
pub const DELIVERIES_ADDRESS: &str = "deliveries.address";
/// What one letter or SMS says.
pub const CONTENTS_BODY: &str = "contents.body";
/// What was answered to a request with an idempotency key.
pub const ANSWERS_ANSWER: &str = "answers.answer";

/// Every column with personal data.
pub const COLUMNS: &[PersonalColumn] = &[
    column(PERSONS_NAME, "people", "to address a person and to know them on the list"),
    column(CONTACT_POINTS_VALUE, "people", "to reach a member"),
    column("contact_points.value_index", "people", "keyed index: to find the member behind an address"),
    column(ACCOUNTS_EMAIL, "accounts", "to sign in and to be told what waits"),
    column("accounts.email_index", "accounts", "keyed index: to find the account behind an address"),
    column(ACCOUNT_TOKENS_DETAILS, "accounts", "who invites to what, for the invitation's page; emptied once used"),
    column(MEMBERSHIPS_ADDRESS, "members", "living or working inside the perimeter"),
    column("memberships.dwelling_index", "members", "keyed index: one SMS a dwelling where the plan says so"),
    column(
        "memberships.sms_stopped_index",
        "members",
        "keyed index: the number that stopped SMS, which alone may undo it",
    ),
    column(
        "inbound_sms.sender_index",
        "members",
        "keyed index: one answer a day to a number; deleted after seven days",
    ),
    column("inbound_sms.message_index", "members", "keyed index: the same SMS twice is one; deleted after seven days"),
    column(DELIVERIES_ADDRESS, "delivery", "where the message goes; emptied after settling"),
    column("endpoint_faults.endpoint_index", "delivery", "keyed index: which address failed; ninety days"),
    column(CONTENTS_BODY, "delivery", "what is handed over; letters hold single-use links"),
    column(ANSWERS_ANSWER, "access", "the same answer to a repeated request, for seven days"),
];
