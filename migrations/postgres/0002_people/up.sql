CREATE TABLE persons (
    id uuid PRIMARY KEY,
    name bytea,
    language text NOT NULL CONSTRAINT persons_language_known CHECK (language IN ('fr', 'nl', 'de', 'en')),
    created_at timestamptz NOT NULL,
    erased_at timestamptz,
    version bigint NOT NULL,
    CONSTRAINT persons_named_until_erased CHECK (name IS NOT NULL OR erased_at IS NOT NULL)
);
CREATE TABLE contact_points (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES persons,
    kind text NOT NULL CONSTRAINT contact_points_kind_known CHECK (kind IN ('email', 'mobile', 'landline')),
    value bytea NOT NULL,
    value_index bytea NOT NULL,
    state text NOT NULL CONSTRAINT contact_points_state_known CHECK (state IN ('unverified', 'verified', 'suspect', 'invalid')),
    verified_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT contact_points_once_per_person UNIQUE (person_id, kind),
    CONSTRAINT contact_points_verified_when CHECK (state <> 'verified' OR verified_at IS NOT NULL)
);
CREATE INDEX contact_points_by_value ON contact_points (value_index);
CREATE TABLE contact_codes (
    id uuid PRIMARY KEY,
    contact_point_id uuid NOT NULL REFERENCES contact_points ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    tries integer NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX contact_codes_by_contact_point ON contact_codes (contact_point_id, created_at);
