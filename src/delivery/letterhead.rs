//! What of the settings, and of the program, stands in every mail: kept once, so that the bytes of an attempt can be made
//! again after a municipality has changed its name or its address (accept N1).

use diesel::prelude::*;

use super::email::EDITION;
use crate::config::Config;
use crate::storage::Db;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::letterheads;

/// As whom, from where and by which edition of our mail a parcel is written.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = letterheads)]
pub(super) struct Letterhead {
    /// Mails of one edition have the same bytes for the same parcel.
    pub(super) edition: i32,
    sender: String,
    sender_name: String,
    reply_to: String,
    message_id_domain: String,
    /// What the personal links begin with.
    public_url: String,
}
impl Letterhead {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            edition: EDITION,
            sender: config.email.from.clone(),
            sender_name: config.email.from_name.clone(),
            reply_to: config.email.reply_to.clone(),
            message_id_domain: config.email.message_id_domain.clone(),
            public_url: config.server.public_url.clone(),
        }
    }
    /// The settings as they were.
    pub(super) fn put_on(&self, config: &Config) -> Config {
        let mut config = config.clone();
        config.email.from.clone_from(&self.sender);
        config.email.from_name.clone_from(&self.sender_name);
        config.email.reply_to.clone_from(&self.reply_to);
        config.email.message_id_domain.clone_from(&self.message_id_domain);
        config.server.public_url.clone_from(&self.public_url);
        config
    }
}

/// The number of a letterhead; it is written down the first time.
pub(super) fn number_of(tx: &mut Tx<'_>, letterhead: &Letterhead) -> Result<i64, StorageError> {
    let known: Vec<(i64, Letterhead)> = letterheads::table
        .order(letterheads::id.desc())
        .select((letterheads::id, Letterhead::as_select()))
        .load(tx.db())?;
    if let Some((id, _)) = known.into_iter().find(|(_, known)| known == letterhead) {
        return Ok(id);
    }
    let new = diesel::insert_into(letterheads::table).values(letterhead).returning(letterheads::id);
    Ok(match tx.db() {
        Db::Sqlite(c) => new.get_result(c)?,
        Db::Postgres(c) => new.get_result(c)?,
    })
}

/// Those with these numbers.
pub(super) fn find(tx: &mut Tx<'_>, ids: &[i64]) -> Result<Vec<(i64, Letterhead)>, StorageError> {
    Ok(letterheads::table
        .filter(letterheads::id.eq_any(ids))
        .select((letterheads::id, Letterhead::as_select()))
        .load(tx.db())?)
}
