-- Made from the same sentences as ../../postgres; ids are hyphenated text, moments are microseconds since 1970, documents are JSON text.
CREATE TABLE partnerships (
    id TEXT PRIMARY KEY,
    zone_id TEXT NOT NULL REFERENCES zones,
    kind TEXT NOT NULL CONSTRAINT partnerships_kind_known CHECK (kind IN ('citizen', 'independent', 'thematic', 'professional')),
    names TEXT NOT NULL,
    short_name TEXT NOT NULL,
    status TEXT NOT NULL CONSTRAINT partnerships_status_known CHECK (status IN ('idea', 'consulting', 'informing', 'drafting', 'signing', 'submitted_spf', 'spf_remarks', 'registered', 'active', 'dormant', 'suspended', 'dissolving', 'dissolved', 'merging', 'merged_into', 'abandoned')),
    status_reason TEXT,
    legal_ref TEXT,
    registered_ref TEXT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT REFERENCES accounts,
    CONSTRAINT partnerships_short_name_once_per_zone UNIQUE (zone_id, short_name)
);
CREATE TABLE partnership_municipalities (
    partnership_id TEXT NOT NULL REFERENCES partnerships,
    nis_code TEXT NOT NULL REFERENCES municipalities,
    PRIMARY KEY (partnership_id, nis_code)
);
CREATE INDEX partnership_municipalities_by_municipality ON partnership_municipalities (nis_code);
CREATE TABLE perimeters (
    id TEXT PRIMARY KEY,
    partnership_id TEXT NOT NULL REFERENCES partnerships,
    number INTEGER NOT NULL,
    polygon TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT REFERENCES accounts,
    CONSTRAINT perimeters_numbered UNIQUE (partnership_id, number)
);
CREATE TABLE communication_plans (
    id TEXT PRIMARY KEY,
    partnership_id TEXT NOT NULL REFERENCES partnerships,
    number INTEGER NOT NULL,
    content TEXT NOT NULL,
    signed_by_officer TEXT NOT NULL REFERENCES accounts,
    officer_signed_at BIGINT NOT NULL,
    signed_by_coordinator TEXT REFERENCES accounts,
    coordinator_signed_at BIGINT,
    CONSTRAINT communication_plans_numbered UNIQUE (partnership_id, number),
    CONSTRAINT communication_plans_signature_complete CHECK ((signed_by_coordinator IS NULL) = (coordinator_signed_at IS NULL))
);
CREATE TABLE house_rules (
    id TEXT PRIMARY KEY,
    partnership_id TEXT NOT NULL REFERENCES partnerships,
    number INTEGER NOT NULL,
    texts TEXT NOT NULL,
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT REFERENCES accounts,
    CONSTRAINT house_rules_numbered UNIQUE (partnership_id, number)
);
CREATE TABLE mandates (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts,
    grant_id TEXT REFERENCES grants,
    role TEXT NOT NULL,
    place_kind TEXT NOT NULL,
    place_ref TEXT NOT NULL,
    status TEXT NOT NULL CONSTRAINT mandates_status_known CHECK (status IN ('nominated', 'active', 'ended')),
    declaration TEXT,
    screening_outcome TEXT CONSTRAINT mandates_screening_known CHECK (screening_outcome IN ('cleared', 'refused')),
    screened_at BIGINT,
    screening_valid_until BIGINT,
    screened_by TEXT REFERENCES accounts,
    from_at BIGINT NOT NULL,
    until_at BIGINT,
    ended_at BIGINT,
    end_reason TEXT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT REFERENCES accounts,
    CONSTRAINT mandates_active_has_grant CHECK (status <> 'active' OR grant_id IS NOT NULL),
    CONSTRAINT mandates_ended_for_a_reason CHECK ((status = 'ended') = (ended_at IS NOT NULL) AND (ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX mandates_by_place ON mandates (place_kind, place_ref, status);
CREATE INDEX mandates_by_account ON mandates (account_id);
