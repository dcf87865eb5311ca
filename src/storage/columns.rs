//! Column types: how the small words of `values` are stored in each database.

use std::fmt::Debug;
use std::io::Write;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sqlite::{Sqlite, SqliteValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{MultiBackend, MultiRawValue};
use crate::values::Id;
use crate::values::Timestamp;

/// The SQL types.
pub mod sql {
    /// TEXT (hyphenated, sorts like the bytes) on SQLite, native uuid on PostgreSQL.
    #[derive(Debug, Clone, Copy, Default, diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
    #[diesel(sqlite_type(name = "Text"), postgres_type(oid = 2950, array_oid = 2951))]
    pub struct Key;
    /// Microseconds since 1970 (INTEGER) on SQLite, timestamptz on PostgreSQL.
    #[derive(Debug, Clone, Copy, Default, diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
    #[diesel(sqlite_type(name = "Long"), postgres_type(oid = 1184, array_oid = 1185))]
    pub struct Moment;
    impl diesel::sql_types::SqlOrd for Moment {}
    /// JSON text on SQLite, jsonb on PostgreSQL.
    #[derive(Debug, Clone, Copy, Default, diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
    #[diesel(sqlite_type(name = "Text"), postgres_type(oid = 3802, array_oid = 3807))]
    pub struct Document;
}
use sql::{Document, Key, Moment};

macro_rules! announce { ($($st:ty),+) => { $(
    impl diesel::sql_types::HasSqlType<$st> for MultiBackend {
        fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata { Self::lookup_sql_type::<$st>(lookup) }
    }
)+ } }
announce!(Key, Moment, Document);

macro_rules! bridge { (for[$($g:tt)*] $rust:ty as $st:ty) => {
    impl<$($g)*> ToSql<$st, MultiBackend> for $rust {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
            out.set_value((<$st>::default(), self));
            Ok(IsNull::No)
        }
    }
    impl<$($g)*> FromSql<$st, MultiBackend> for $rust {
        fn from_sql(value: MultiRawValue<'_>) -> deserialize::Result<Self> { value.from_sql::<Self, $st>() }
    }
} }

#[derive(AsExpression, FromSqlRow)]
#[diesel(foreign_derive)]
#[diesel(sql_type = Key)]
#[expect(dead_code, reason = "tells diesel about a type of a lower floor")]
struct IdColumn<K: 'static>(Id<K>);

impl<K> ToSql<Key, Pg> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<diesel::sql_types::Uuid, Pg>::to_sql(&self.uuid(), &mut out.reborrow())
    }
}
impl<K> FromSql<Key, Pg> for Id<K> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <uuid::Uuid as FromSql<diesel::sql_types::Uuid, Pg>>::from_sql(value).map(Id::from_uuid)
    }
}
impl<K> ToSql<Key, Sqlite> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.uuid().hyphenated().to_string());
        Ok(IsNull::No)
    }
}
impl<K> FromSql<Key, Sqlite> for Id<K> {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<diesel::sql_types::Text, Sqlite>>::from_sql(value)?;
        Ok(Id::from_uuid(uuid::Uuid::parse_str(&text)?))
    }
}
bridge!(for[K: 'static] Id<K> as Key);

#[derive(AsExpression, FromSqlRow)]
#[diesel(foreign_derive)]
#[diesel(sql_type = Moment)]
#[expect(dead_code, reason = "tells diesel about a type of a lower floor")]
struct TimestampColumn(Timestamp);

/// 2000-01-01T00:00:00Z, where PostgreSQL begins to count.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;
impl ToSql<Moment, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let pg = diesel::pg::data_types::PgTimestamp(self.micros().saturating_sub(PG_EPOCH_MICROS));
        ToSql::<diesel::sql_types::Timestamptz, Pg>::to_sql(&pg, &mut out.reborrow())
    }
}
impl FromSql<Moment, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let pg = <diesel::pg::data_types::PgTimestamp as FromSql<diesel::sql_types::Timestamptz, Pg>>::from_sql(value)?;
        Ok(Self::from_micros(pg.0.saturating_add(PG_EPOCH_MICROS)))
    }
}
impl ToSql<Moment, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.micros());
        Ok(IsNull::No)
    }
}
impl FromSql<Moment, Sqlite> for Timestamp {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self::from_micros(<i64 as FromSql<diesel::sql_types::BigInt, Sqlite>>::from_sql(value)?))
    }
}
bridge!(for[] Timestamp as Moment);

/// A value kept as one JSON document.
#[derive(Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Document)]
pub struct Json<T>(pub T);
impl<T> Debug for Json<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Json(..)")
    }
}
impl<T: Serialize> ToSql<Document, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[1])?; // version of the jsonb format
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}
impl<T: DeserializeOwned> FromSql<Document, Pg> for Json<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            [1, json @ ..] => Ok(Self(serde_json::from_slice(json)?)),
            _ => Err("unknown jsonb version".into()),
        }
    }
}
impl<T: Serialize> ToSql<Document, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
impl<T: DeserializeOwned> FromSql<Document, Sqlite> for Json<T> {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<diesel::sql_types::Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}
bridge!(for[T: Serialize + DeserializeOwned + Send + Sync + 'static] Json<T> as Document);
