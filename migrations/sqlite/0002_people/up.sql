-- Made from the same sentences as ../../postgres; ids are hyphenated text, moments are microseconds since 1970, documents are JSON text.
CREATE TABLE persons (
    id TEXT PRIMARY KEY,
    name BLOB,
    language TEXT NOT NULL CONSTRAINT persons_language_known CHECK (language IN ('fr', 'nl', 'de', 'en')),
    created_at BIGINT NOT NULL,
    erased_at BIGINT,
    version BIGINT NOT NULL,
    CONSTRAINT persons_named_until_erased CHECK (name IS NOT NULL OR erased_at IS NOT NULL)
);
CREATE TABLE contact_points (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES persons,
    kind TEXT NOT NULL CONSTRAINT contact_points_kind_known CHECK (kind IN ('email', 'mobile', 'landline')),
    value BLOB NOT NULL,
    value_index BLOB NOT NULL,
    state TEXT NOT NULL CONSTRAINT contact_points_state_known CHECK (state IN ('unverified', 'verified', 'suspect', 'invalid')),
    verified_at BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT contact_points_once_per_person UNIQUE (person_id, kind),
    CONSTRAINT contact_points_verified_when CHECK (state <> 'verified' OR verified_at IS NOT NULL)
);
CREATE INDEX contact_points_by_value ON contact_points (value_index);
CREATE TABLE contact_codes (
    id TEXT PRIMARY KEY,
    contact_point_id TEXT NOT NULL REFERENCES contact_points ON DELETE CASCADE,
    code_hash BLOB NOT NULL,
    expires_at BIGINT NOT NULL,
    tries INTEGER NOT NULL,
    used_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX contact_codes_by_contact_point ON contact_codes (contact_point_id, created_at);
