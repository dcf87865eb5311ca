//! The verbs of accounts, and what they are done to.

use crate::access::{Actor, Located, Own, Permission, Place, Target, list_sessions};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

crate::opens! {
    SignIn: "Sign in with an address and a password; the session renews itself with its refresh token.";
    RenewSession: "Renew a session. A refresh token works once; a second use ends the session.";
    RequestPasswordReset: "Ask for a letter with the way to a new password; the answer is the same for every address.";
    CompletePasswordReset: "Choose a new password with the token of the letter; every session ends.";
    AcceptInvitation: "Accept an invitation with the token of the letter, and choose a password.";
    ShowInvitation: "The page behind the invitation's letter.";
    AcceptInvitationOnPage: "Accept an invitation with the form of its page.";
    ShowPasswordReset: "The page behind the letter with the way to a new password.";
    CompletePasswordResetOnPage: "Choose a new password with the form of its page.";
}

crate::actions! {
    ReadMe on Own: "Who one is, and what one may do where.";
    StepUp on Own: "Prove once more who one is: the password again, good for five minutes in this session.";
    ListSessions on Own: "One's own sign-ins that go on, newest first.";
    EndSessions on Own: "Sign out everywhere.";
    EndSession on OwnSession: "Sign out of one session.";
    ChangePassword on Own: "Change one's own password; every other session ends.";
}

/// One of the actor's own sessions that goes on; others do not exist.
#[derive(Debug)]
pub(super) struct OwnSession(pub(super) Id<of::Session>);
impl Target for OwnSession {
    type Path = Id<of::Session>;
    fn locate(
        tx: &mut Tx<'_>,
        actor: &Actor,
        _: Permission,
        session: Self::Path,
    ) -> Result<Option<Located<Self>>, StorageError> {
        let own = list_sessions(tx, actor.account)?.iter().any(|row| row.id == session);
        Ok(own.then(|| Located::at(Self(session), Place::nation())))
    }
    fn name(&self) -> String {
        format!("session:{}", self.0)
    }
}
