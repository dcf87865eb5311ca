-- Made from the same sentences as ../../postgres; ids are hyphenated text, moments are microseconds since 1970, documents are JSON text.
CREATE TABLE memberships (
    id TEXT PRIMARY KEY,
    partnership_id TEXT NOT NULL REFERENCES partnerships,
    person_id TEXT NOT NULL REFERENCES persons,
    status TEXT NOT NULL CONSTRAINT memberships_status_known CHECK (status IN ('requested', 'contact_unverified', 'pending_approval', 'active', 'paused', 'review_due', 'unreachable', 'suspended_provisional', 'refused', 'left', 'excluded', 'anonymised')),
    basis TEXT NOT NULL CONSTRAINT memberships_basis_known CHECK (basis IN ('lives', 'works', 'both')),
    address BLOB,
    dwelling_index BLOB,
    adult_declared_at BIGINT NOT NULL,
    adult_wording TEXT NOT NULL,
    adhesion_mode TEXT CONSTRAINT memberships_adhesion_mode_known CHECK (adhesion_mode IN ('signed_copy', 'form_reference')),
    adhesion_rules_number INTEGER,
    adhesion_at BIGINT,
    adhesion_received_by TEXT REFERENCES accounts,
    form_reference TEXT,
    source TEXT NOT NULL CONSTRAINT memberships_source_known CHECK (source IN ('web', 'paper', 'counter')),
    preferred_channel TEXT NOT NULL CONSTRAINT memberships_channel_known CHECK (preferred_channel IN ('email', 'sms')),
    sms_at_night BOOLEAN NOT NULL,
    email_stopped_at BIGINT,
    sms_stopped_at BIGINT,
    exercises BOOLEAN NOT NULL,
    applied_at BIGINT NOT NULL,
    joined_at BIGINT,
    ended_at BIGINT,
    end_reason TEXT,
    version BIGINT NOT NULL,
    CONSTRAINT memberships_active_is_adhered CHECK (status NOT IN ('active', 'paused', 'review_due', 'unreachable', 'suspended_provisional')
        OR (adhesion_mode IS NOT NULL AND adhesion_rules_number IS NOT NULL AND adhesion_at IS NOT NULL AND joined_at IS NOT NULL AND address IS NOT NULL)),
    CONSTRAINT memberships_ended_for_a_reason CHECK ((status IN ('refused', 'left', 'excluded', 'anonymised')) = (ended_at IS NOT NULL) AND (ended_at IS NULL) = (end_reason IS NULL))
);
CREATE UNIQUE INDEX memberships_once_per_person ON memberships (partnership_id, person_id) WHERE ended_at IS NULL;
CREATE INDEX memberships_by_partnership ON memberships (partnership_id, status);
CREATE INDEX memberships_by_person ON memberships (person_id);
