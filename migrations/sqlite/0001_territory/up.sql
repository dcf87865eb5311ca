-- Made from the same sentences as ../../postgres; ids are hyphenated text, moments are microseconds since 1970, documents are JSON text.
CREATE TABLE regions (
    code TEXT PRIMARY KEY,
    names TEXT NOT NULL
);
CREATE TABLE provinces (
    code TEXT PRIMARY KEY,
    region TEXT NOT NULL REFERENCES regions,
    names TEXT NOT NULL
);
CREATE TABLE municipalities (
    nis_code TEXT PRIMARY KEY,
    region TEXT NOT NULL REFERENCES regions,
    province TEXT REFERENCES provinces,
    names TEXT NOT NULL,
    as_of TEXT NOT NULL
);
CREATE TABLE zones (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL CONSTRAINT zones_number_once UNIQUE,
    names TEXT NOT NULL,
    languages TEXT NOT NULL,
    phone TEXT NOT NULL,
    email TEXT,
    hours TEXT NOT NULL,
    own_message TEXT NOT NULL CONSTRAINT zones_own_message_policy CHECK (own_message IN ('dual', 'solo_duty')),
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE zone_municipalities (
    nis_code TEXT PRIMARY KEY REFERENCES municipalities,
    zone_id TEXT NOT NULL REFERENCES zones
);
CREATE INDEX zone_municipalities_by_zone ON zone_municipalities (zone_id);
