CREATE TABLE regions (
    code text PRIMARY KEY,
    names jsonb NOT NULL
);
CREATE TABLE provinces (
    code text PRIMARY KEY,
    region text NOT NULL REFERENCES regions,
    names jsonb NOT NULL
);
CREATE TABLE municipalities (
    nis_code text PRIMARY KEY,
    region text NOT NULL REFERENCES regions,
    province text REFERENCES provinces,
    names jsonb NOT NULL,
    as_of text NOT NULL
);
CREATE TABLE zones (
    id uuid PRIMARY KEY,
    number text NOT NULL CONSTRAINT zones_number_once UNIQUE,
    names jsonb NOT NULL,
    languages jsonb NOT NULL,
    phone text NOT NULL,
    email text,
    hours jsonb NOT NULL,
    own_message text NOT NULL CONSTRAINT zones_own_message_policy CHECK (own_message IN ('dual', 'solo_duty')),
    version bigint NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE zone_municipalities (
    nis_code text PRIMARY KEY REFERENCES municipalities,
    zone_id uuid NOT NULL REFERENCES zones
);
CREATE INDEX zone_municipalities_by_zone ON zone_municipalities (zone_id);
