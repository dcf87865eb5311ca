//! The right as a value. `Authorized<A>` is made in one place, carries the actor, the target and the only way to the
//! database, and is the first argument of every handler that is not open to all.

use std::future::Future;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::action::{Action, Located, Target};
use super::actor::Actor;
use super::answers::{self, Asked};
use super::bearer::Bearer;
use super::decisions::{self, NewDecision, Outcome, Recorder};
use super::error::GateError;
use super::grant::{Grant, Keep, still_stands};
use super::permission::Permission;
use super::place::Place;
use super::policy::{Decision, decide, row};
use super::role::Role;
use super::store;
use super::turns::{Turn, Turns};
use crate::config::Config;
use crate::http::Answer;
use crate::http::BodyHash;
use crate::http::Problem;
use crate::http::ProblemType;
use crate::http::RateClass;
use crate::http::Rates;
use crate::http::client_network;
use crate::http::request_id;
use crate::storage::Database;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// How long a fresh proof of identity counts.
pub const STEP_UP_LIFE: Duration = Duration::from_secs(300);

/// What the gate needs. It sits in the application where only the gate can take it out.
#[derive(Debug, Clone)]
pub struct Gatehouse {
    pub(super) database: Database,
    pub(super) bearer: Arc<Bearer>,
    pub(super) recorder: Recorder,
    pub(super) rates: Arc<Rates>,
    pub(super) config: Arc<Config>,
    pub(super) turns: Turns,
}
impl Gatehouse {
    /// Builds it once for the whole process.
    #[must_use]
    pub fn new(database: Database, recorder: Recorder, rates: Arc<Rates>, config: Arc<Config>) -> Self {
        let bearer = Arc::new(Bearer::new(database.keys()));
        let turns = Turns::of(database.connections_most());
        Self { database, bearer, recorder, rates, config, turns }
    }
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let house = request
            .app_data::<web::Data<Self>>()
            .ok_or_else(|| Problem::new(ProblemType::Internal, "the gate is not mounted"))?;
        Ok(house.as_ref().clone())
    }
    /// The client's address, looking behind the proxies we trust and no others. A proxy adds what it saw at the end, to
    /// the last line or in a line of its own; what stands before that, the client may have written itself.
    pub(super) fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let trusted = |address: &IpAddr| self.config.server.trusted_proxies.contains(address);
        let peer = request.peer_addr()?.ip().to_canonical();
        if !trusted(&peer) {
            return Some(peer);
        }
        let lines = request.headers().get_all("x-forwarded-for").collect::<Vec<_>>();
        let mut hops = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        hops.find_map(|hop| address_in(hop).filter(|address| !trusted(address))).or(Some(peer))
    }
}
fn address_in(hop: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(hop).ok()?.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Proof that the policy let this actor do `A` to this target. Only the gate makes one.
///
/// ```compile_fail,E0451
/// use vigie::access::{Action, Authorized};
/// fn forge<A: Action>(actor: vigie::access::Actor, target: A::Target) -> Authorized<A> {
///     Authorized { actor, target, ..unreachable!() }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Authorized<A: Action> {
    actor: Actor,
    grant: Option<Grant>,
    target: A::Target,
    place: Place,
    at: Timestamp,
    request_id: String,
    asked: Option<(String, String)>,
    body_hash: BodyHash,
    house: Gatehouse,
    /// A reader's turn at the database, until the reading is done.
    _turn: Option<Turn>,
    action: PhantomData<fn() -> A>,
}
impl<A: Action> Authorized<A> {
    /// Who asks.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
    /// The grant that allows it; none for what one does about oneself.
    #[must_use]
    pub const fn grant(&self) -> Option<&Grant> {
        self.grant.as_ref()
    }
    /// What it is done to.
    #[must_use]
    pub const fn target(&self) -> &A::Target {
        &self.target
    }
    /// The place the target belongs to.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }
    /// The moment of the decision.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }
    /// Has the actor proved their identity afresh, a moment ago?
    #[must_use]
    pub fn is_stepped_up(&self) -> bool {
        is_fresh(&self.actor, self.at)
    }
    /// The settings of this installation.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.house.config
    }
    /// Does the actor hold this further permission at the same place?
    #[must_use]
    pub fn may_also(&self, permission: Permission) -> bool {
        self.actor.grant_for(permission, &self.place).is_some()
    }
    /// The first of these roles in which the actor may do this here, by a grant that still stands now.
    ///
    /// # Errors
    /// `Lapsed` when none does any more.
    pub fn acting_as(&self, tx: &mut Tx<'_>, roles: &[Role]) -> Result<Role, GateError> {
        for role in roles {
            let grant = self
                .actor
                .grants_for(A::PERMISSION)
                .find(|grant| grant.role == *role && grant.reach.covers(&self.place));
            if let Some(grant) = grant
                && still_stands(tx, grant, Keep::Shared)?
            {
                return Ok(*role);
            }
        }
        Err(GateError::Lapsed)
    }
    /// The grant reaches this further place too, named in the body.
    ///
    /// # Errors
    /// `OutOfReach`: the same as if the place did not exist.
    pub fn also_covers(&self, place: &Place) -> Result<(), GateError> {
        if self.actor.grant_for(A::PERMISSION, place).is_some() { Ok(()) } else { Err(GateError::OutOfReach) }
    }
    fn decision(&self, outcome: Outcome) -> NewDecision {
        NewDecision {
            decided_at: self.at,
            request_id: self.request_id.clone(),
            account_id: Some(self.actor.account),
            session_id: Some(self.actor.session),
            grant_id: self.grant.as_ref().map(|grant| grant.id),
            permission: A::PERMISSION,
            place: self.place.name(),
            target: self.target.name(),
            outcome,
        }
    }
    /// The right is looked at again inside the work's own transaction, and the decision is recorded there: a mandate that
    /// ended a moment ago counts.
    fn stands(&self, tx: &mut Tx<'_>) -> Result<(), GateError> {
        let keep = if writes_to_its_own_right(A::PERMISSION) { Keep::Alone } else { Keep::Shared };
        let stands = match &self.grant {
            Some(grant) => still_stands(tx, grant, keep)? && store::still_signed_in(tx, &self.actor, keep)?,
            None => store::still_signed_in(tx, &self.actor, keep)?,
        };
        if !stands {
            return Err(GateError::Lapsed);
        }
        decisions::record(tx, &self.decision(Outcome::Allowed))?;
        Ok(())
    }
    /// Reads under this proof, in one transaction.
    ///
    /// # Errors
    /// The work's own.
    pub async fn read<T, E>(
        self,
        work: impl FnOnce(&mut Tx<'_>, &Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let database = self.house.database.clone();
        database.reading(move |tx| work(tx, &self)).await
    }
    /// A short transaction of its own before the work: for what must not stand inside the work's, such as counting a try
    /// and fetching what a slow check compares with. Never the work itself: the right is not looked at again here, and
    /// nothing is recorded.
    ///
    /// # Errors
    /// The work's own.
    pub async fn beforehand<T, E>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        self.house.database.writing(work).await
    }
    /// Writes under this proof, in one transaction with the record of the decision.
    ///
    /// # Errors
    /// The work's own, or `Lapsed` when the right ended meanwhile.
    pub async fn write<T, E>(
        self,
        work: impl FnOnce(&mut Tx<'_>, &Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + From<GateError> + Send + 'static,
    {
        let database = self.house.database.clone();
        database
            .writing(move |tx| {
                self.stands(tx)?;
                work(tx, &self)
            })
            .await
    }
    /// Writes as `write` does, once for each `Idempotency-Key`: the answer is kept in the same transaction, and a repeat
    /// of the same request gets it again.
    ///
    /// # Errors
    /// The work's own; `Lapsed`; `KeyMissing`; `KeyReused` when the key belongs to another request.
    pub async fn answer<T, E, const STATUS: u16>(
        self,
        work: impl FnOnce(&mut Tx<'_>, &Self) -> Result<Answer<T, STATUS>, E> + Send + 'static,
    ) -> Result<Answer<T, STATUS>, E>
    where
        T: 'static,
        E: From<StorageError> + From<GateError> + Send + 'static,
    {
        let Some((operation, key)) = self.asked.clone() else { return Err(GateError::KeyMissing.into()) };
        let database = self.house.database.clone();
        // Keyed: a body may hold a password, and a bare hash of it could be tried out by whoever reads the database.
        let body_hash = database.keys().sign("answers", &[&self.body_hash.get()]);
        let asked = Asked { owner: self.actor.account.to_string(), key, operation, body_hash };
        let again = asked.clone();
        let done = database
            .writing(move |tx| {
                if let Some(stored) = answers::find(tx, &asked)? {
                    return Ok(Answer::replay(stored));
                }
                self.stands(tx)?;
                let answer = work(tx, &self)?;
                answers::keep(tx, &asked, answer.stored())?;
                Ok(answer)
            })
            .await;
        match done {
            Ok(answer) => Ok(answer),
            // The same request may have been answered at the same moment: then that answer is the one.
            Err(error) => match database.reading(move |tx| answers::find(tx, &again)).await {
                Ok(Some(stored)) => Ok(Answer::replay(stored)),
                _ => Err(error),
            },
        }
    }
}
/// Verbs whose work changes the session or the grant that allows it. Two of them that both held it shared would wait for
/// each other for ever.
const fn writes_to_its_own_right(permission: Permission) -> bool {
    use Permission as P;
    matches!(permission, P::StepUp | P::EndSession | P::EndSessions | P::ChangePassword | P::EndMandate)
}
fn is_fresh(actor: &Actor, now: Timestamp) -> bool {
    actor.stepped_up_at.is_some_and(|at| now < at.plus(STEP_UP_LIFE))
}

fn not_signed_in() -> Problem {
    Problem::new(ProblemType::NotSignedIn, "sign in again, or renew the session, and send the new access token")
}
fn token_of(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(|token| token.trim().to_owned())
}

/// Whose token the request carries; takes from their budget, or from their network's where there is none.
fn signed_in(house: &Gatehouse, request: &HttpRequest) -> Result<(Id<of::Account>, Id<of::Session>), Problem> {
    let now = house.database.clock().now();
    let Some((account, session)) = token_of(request).and_then(|token| house.bearer.read(&token, now)) else {
        house.rates.take(&RateClass::Network(client_network(house.client(request))))?;
        return Err(not_signed_in());
    };
    let safe = request.method().is_safe();
    house.rates.take(&if safe { RateClass::Read(account.uuid()) } else { RateClass::Write(account.uuid()) })?;
    Ok((account, session))
}
/// The operation and its idempotency key, where an acceptable one was sent.
fn asked(request: &HttpRequest) -> Option<(String, String)> {
    let key = request.headers().get("idempotency-key").and_then(|value| value.to_str().ok());
    let key = key.filter(|key| answers::acceptable(key))?;
    Some((format!("{} {}", request.method(), request.path()), key.to_owned()))
}

impl<A: Action> FromRequest for Authorized<A> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let house = Gatehouse::of(&request)?;
            let (account, session) = signed_in(&house, &request)?;
            let path = web::Path::<<A::Target as Target>::Path>::extract(&request)
                .into_inner()
                .ok()
                .map(web::Path::into_inner);
            let turn = if request.method().is_safe() { Some(house.turns.wait().await?) } else { None };
            let found = house
                .database
                .reading(move |tx| {
                    let now = tx.now()?;
                    let Some(actor) = store::find_actor(tx, account, session)? else { return Ok(None) };
                    let located = match path {
                        Some(path) => A::Target::locate(tx, &actor, A::PERMISSION, path)?,
                        None => None,
                    };
                    Ok::<_, StorageError>(Some((actor, located, now)))
                })
                .await?;
            let Some((actor, located, at)) = found else { return Err(not_signed_in()) };
            let id = request_id(&request);
            let body_hash = BodyHash::default();
            request.extensions_mut().insert(body_hash.clone());
            let refused = |outcome, place: &Place, target: String| NewDecision {
                decided_at: at,
                request_id: id.clone(),
                account_id: Some(account),
                session_id: Some(session),
                grant_id: None,
                permission: A::PERMISSION,
                place: place.name(),
                target,
                outcome,
            };
            let Some(Located { target, place, sensitive }) = located else {
                house.recorder.record(refused(Outcome::Hidden, &Place::nation(), "absent".to_owned())).await;
                return Err(Problem::not_found());
            };
            match decide(&actor, A::PERMISSION, &place, sensitive, is_fresh(&actor, at)) {
                Decision::Allowed(grant) => {
                    let asked = asked(&request);
                    let proof = Self {
                        actor,
                        grant,
                        target,
                        place,
                        at,
                        request_id: id,
                        asked,
                        body_hash,
                        house,
                        _turn: turn,
                        action: PhantomData,
                    };
                    if request.method().is_safe() && row(A::PERMISSION).audited {
                        proof.house.recorder.record(proof.decision(Outcome::Allowed)).await;
                    }
                    Ok(proof)
                }
                Decision::Hidden => {
                    house.recorder.record(refused(Outcome::Hidden, &place, target.name())).await;
                    Err(Problem::not_found())
                }
                Decision::Forbidden => {
                    house.recorder.record(refused(Outcome::Forbidden, &place, target.name())).await;
                    Err(Problem::new(
                        ProblemType::Forbidden,
                        "your roles do not include this here; ask somebody who holds the mandate",
                    ))
                }
                Decision::StepUpNeeded => {
                    house.recorder.record(refused(Outcome::StepUp, &place, target.name())).await;
                    Err(Problem::new(
                        ProblemType::StepUpNeeded,
                        "give your password again at POST /api/v1/step-up, then repeat this within five minutes",
                    ))
                }
            }
        })
    }
}
