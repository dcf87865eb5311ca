CREATE TABLE partnerships (
    id uuid PRIMARY KEY,
    zone_id uuid NOT NULL REFERENCES zones,
    kind text NOT NULL CONSTRAINT partnerships_kind_known CHECK (kind IN ('citizen', 'independent', 'thematic', 'professional')),
    names jsonb NOT NULL,
    short_name text NOT NULL,
    status text NOT NULL CONSTRAINT partnerships_status_known CHECK (status IN ('idea', 'consulting', 'informing', 'drafting', 'signing', 'submitted_spf', 'spf_remarks', 'registered', 'active', 'dormant', 'suspended', 'dissolving', 'dissolved', 'merging', 'merged_into', 'abandoned')),
    status_reason text,
    legal_ref text,
    registered_ref text,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid REFERENCES accounts,
    CONSTRAINT partnerships_short_name_once_per_zone UNIQUE (zone_id, short_name)
);
CREATE TABLE partnership_municipalities (
    partnership_id uuid NOT NULL REFERENCES partnerships,
    nis_code text NOT NULL REFERENCES municipalities,
    PRIMARY KEY (partnership_id, nis_code)
);
CREATE INDEX partnership_municipalities_by_municipality ON partnership_municipalities (nis_code);
CREATE TABLE perimeters (
    id uuid PRIMARY KEY,
    partnership_id uuid NOT NULL REFERENCES partnerships,
    number integer NOT NULL,
    polygon jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid REFERENCES accounts,
    CONSTRAINT perimeters_numbered UNIQUE (partnership_id, number)
);
CREATE TABLE communication_plans (
    id uuid PRIMARY KEY,
    partnership_id uuid NOT NULL REFERENCES partnerships,
    number integer NOT NULL,
    content jsonb NOT NULL,
    signed_by_officer uuid NOT NULL REFERENCES accounts,
    officer_signed_at timestamptz NOT NULL,
    signed_by_coordinator uuid REFERENCES accounts,
    coordinator_signed_at timestamptz,
    CONSTRAINT communication_plans_numbered UNIQUE (partnership_id, number),
    CONSTRAINT communication_plans_signature_complete CHECK ((signed_by_coordinator IS NULL) = (coordinator_signed_at IS NULL))
);
CREATE TABLE house_rules (
    id uuid PRIMARY KEY,
    partnership_id uuid NOT NULL REFERENCES partnerships,
    number integer NOT NULL,
    texts jsonb NOT NULL,
    hash text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid REFERENCES accounts,
    CONSTRAINT house_rules_numbered UNIQUE (partnership_id, number)
);
CREATE TABLE mandates (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    grant_id uuid REFERENCES grants,
    role text NOT NULL,
    place_kind text NOT NULL,
    place_ref text NOT NULL,
    status text NOT NULL CONSTRAINT mandates_status_known CHECK (status IN ('nominated', 'active', 'ended')),
    declaration jsonb,
    screening_outcome text CONSTRAINT mandates_screening_known CHECK (screening_outcome IN ('cleared', 'refused')),
    screened_at timestamptz,
    screening_valid_until timestamptz,
    screened_by uuid REFERENCES accounts,
    from_at timestamptz NOT NULL,
    until_at timestamptz,
    ended_at timestamptz,
    end_reason text,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid REFERENCES accounts,
    CONSTRAINT mandates_active_has_grant CHECK (status <> 'active' OR grant_id IS NOT NULL),
    CONSTRAINT mandates_ended_for_a_reason CHECK ((status = 'ended') = (ended_at IS NOT NULL) AND (ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX mandates_by_place ON mandates (place_kind, place_ref, status);
CREATE INDEX mandates_by_account ON mandates (account_id);
