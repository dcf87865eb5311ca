//! The two pages behind letters: accept an invitation, choose a new password. They show who is meant, take a password
//! twice, and say what to do when it is not taken.

use minijinja::{Value, context};

use super::choose_password::{self, Letter};
use super::error::AccountError;
use super::invite::role_word;
use super::password::Password;
use super::payloads::PasswordForm;
use super::store::TokenPurpose;
use crate::access::{Open, Public};
use crate::http::{Html, ProblemType};
use crate::texts::{PageKind, page, phrase};
use crate::values::Language;

/// Shows the form, or that the link leads nowhere any more.
pub(super) async fn show<O: Open>(
    open: &Public<O>,
    purpose: TokenPurpose,
    token: String,
    lang: Option<Language>,
) -> Result<Html, AccountError> {
    let letter = open.read(move |tx| choose_password::open_letter(tx, purpose, &token)).await?;
    Ok(letter.map_or_else(|| link_unknown(lang), |letter| Html::ok(form(purpose, &letter, lang, ""))))
}

/// Takes the form: the password is chosen, or the form comes back with what is wrong.
pub(super) async fn take<O: Open>(
    open: &Public<O>,
    purpose: TokenPurpose,
    token: String,
    lang: Option<Language>,
    filled: PasswordForm,
) -> Result<Html, AccountError> {
    let again = token.clone();
    let Some(letter) = open.read(move |tx| choose_password::open_letter(tx, purpose, &again)).await? else {
        return Ok(link_unknown(lang));
    };
    let refused = |problem| Html { status: 422, document: form(purpose, &letter, lang, problem) };
    if filled.password != filled.password_repeat {
        return Ok(refused("passwords_differ"));
    }
    let Ok(password) = Password::parse(&filled.password) else { return Ok(refused("password_weak")) };
    match choose_password::choose_password(open, purpose, token, password).await {
        Ok(()) => Ok(Html::ok(done(purpose, &letter, lang))),
        Err(AccountError::Password(refusal, _)) => Ok(refused(refusal.code())),
        Err(AccountError::LinkUnknown) => Ok(link_unknown(lang)),
        Err(error) => Err(error),
    }
}

fn form(purpose: TokenPurpose, letter: &Letter, lang: Option<Language>, problem: &str) -> String {
    let language = lang.unwrap_or(letter.person.language);
    let name = letter.person.name.as_ref().map(|name| name.for_letter()).unwrap_or_default();
    match purpose {
        TokenPurpose::Invitation => {
            let details = letter.details.as_ref();
            let inviter = details.map_or("", |details| details.inviter.as_str());
            let role = details.map_or("", |details| role_word(details.role));
            page(language, PageKind::AcceptInvitation, &context! { name, inviter, role, problem })
        }
        TokenPurpose::Reset => page(language, PageKind::ResetPassword, &context! { name, problem }),
    }
}
fn done(purpose: TokenPurpose, letter: &Letter, lang: Option<Language>) -> String {
    let kind = match purpose {
        TokenPurpose::Invitation => PageKind::InvitationAccepted,
        TokenPurpose::Reset => PageKind::PasswordReset,
    };
    page(lang.unwrap_or(letter.person.language), kind, &Value::UNDEFINED)
}
/// The same for a link that was used, is too old, or never existed.
fn link_unknown(lang: Option<Language>) -> Html {
    let language = lang.unwrap_or(Language::Fr);
    let title = phrase(language, "problem-title", &[]);
    let detail = phrase(language, "problem-link_unknown", &[]);
    Html {
        status: ProblemType::NotFound.status(),
        document: page(language, PageKind::Problem, &context! { title, detail }),
    }
}
