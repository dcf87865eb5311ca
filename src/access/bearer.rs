//! Access tokens: ten minutes, and nothing in them but the account and the session.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::storage::Keyring;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// How long an access token lives.
pub const ACCESS_TOKEN_LIFE: Duration = Duration::from_secs(600);
const ISSUER: &str = "vigie";
const AUDIENCE: &str = "vigie-api";
const TYPE: &str = "at+jwt";
/// Clocks of two nodes may differ by so much.
const LEEWAY_SECONDS: i64 = 5;

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: uuid::Uuid,
    sid: uuid::Uuid,
    iat: i64,
    exp: i64,
}

/// Makes and reads access tokens with one key and one algorithm.
pub struct Bearer {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}
impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer")
    }
}
impl Bearer {
    /// With the key of this installation.
    #[must_use]
    pub fn new(keys: &Keyring) -> Self {
        let secret = keys.derive("access-token");
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The expiry is compared with our own clock below, which tests can move.
        validation.validate_exp = false;
        Self { encoding: EncodingKey::from_secret(&secret), decoding: DecodingKey::from_secret(&secret), validation }
    }
    /// A token for a session.
    #[must_use]
    pub fn token(&self, account: Id<of::Account>, session: Id<of::Session>, now: Timestamp) -> String {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: account.uuid(),
            sid: session.uuid(),
            iat: now.seconds(),
            exp: now.plus(ACCESS_TOKEN_LIFE).seconds(),
        };
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        // Signing with a key in memory cannot fail; an empty token would only ever be refused.
        jsonwebtoken::encode(&header, &claims, &self.encoding).unwrap_or_default()
    }
    /// Whose token this is, if it is one of ours and still good.
    #[must_use]
    pub fn read(&self, token: &str, now: Timestamp) -> Option<(Id<of::Account>, Id<of::Session>)> {
        let read = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?;
        let (header, claims) = (read.header, read.claims);
        let in_time = now.seconds() < claims.exp.saturating_add(LEEWAY_SECONDS)
            && claims.iat <= now.seconds().saturating_add(LEEWAY_SECONDS);
        (header.typ.as_deref() == Some(TYPE) && in_time).then(|| (Id::from_uuid(claims.sub), Id::from_uuid(claims.sid)))
    }
}
