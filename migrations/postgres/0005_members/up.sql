CREATE TABLE memberships (
    id uuid PRIMARY KEY,
    partnership_id uuid NOT NULL REFERENCES partnerships,
    person_id uuid NOT NULL REFERENCES persons,
    status text NOT NULL CONSTRAINT memberships_status_known CHECK (status IN ('requested', 'contact_unverified', 'pending_approval', 'active', 'paused', 'review_due', 'unreachable', 'suspended_provisional', 'refused', 'left', 'excluded', 'anonymised')),
    basis text NOT NULL CONSTRAINT memberships_basis_known CHECK (basis IN ('lives', 'works', 'both')),
    address bytea,
    dwelling_index bytea,
    adult_declared_at timestamptz NOT NULL,
    adult_wording text NOT NULL,
    adhesion_mode text CONSTRAINT memberships_adhesion_mode_known CHECK (adhesion_mode IN ('signed_copy', 'form_reference')),
    adhesion_rules_number integer,
    adhesion_at timestamptz,
    adhesion_received_by uuid REFERENCES accounts,
    form_reference text,
    source text NOT NULL CONSTRAINT memberships_source_known CHECK (source IN ('web', 'paper', 'counter')),
    preferred_channel text NOT NULL CONSTRAINT memberships_channel_known CHECK (preferred_channel IN ('email', 'sms')),
    sms_at_night boolean NOT NULL,
    email_stopped_at timestamptz,
    sms_stopped_at timestamptz,
    exercises boolean NOT NULL,
    applied_at timestamptz NOT NULL,
    joined_at timestamptz,
    ended_at timestamptz,
    end_reason text,
    version bigint NOT NULL,
    CONSTRAINT memberships_active_is_adhered CHECK (status NOT IN ('active', 'paused', 'review_due', 'unreachable', 'suspended_provisional')
        OR (adhesion_mode IS NOT NULL AND adhesion_rules_number IS NOT NULL AND adhesion_at IS NOT NULL AND joined_at IS NOT NULL AND address IS NOT NULL)),
    CONSTRAINT memberships_ended_for_a_reason CHECK ((status IN ('refused', 'left', 'excluded', 'anonymised')) = (ended_at IS NOT NULL) AND (ended_at IS NULL) = (end_reason IS NULL))
);
CREATE UNIQUE INDEX memberships_once_per_person ON memberships (partnership_id, person_id) WHERE ended_at IS NULL;
CREATE INDEX memberships_by_partnership ON memberships (partnership_id, status);
CREATE INDEX memberships_by_person ON memberships (person_id);
