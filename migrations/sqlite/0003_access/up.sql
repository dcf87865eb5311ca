-- Made from the same sentences as ../../postgres; ids are hyphenated text, moments are microseconds since 1970, documents are JSON text.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL CONSTRAINT accounts_once_per_person UNIQUE REFERENCES persons,
    email BLOB,
    email_index BLOB CONSTRAINT accounts_email_once UNIQUE,
    password_hash TEXT,
    status TEXT NOT NULL CONSTRAINT accounts_status_known CHECK (status IN ('invited', 'active', 'locked', 'closed')),
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    CONSTRAINT accounts_active_has_password CHECK (status <> 'active' OR (password_hash IS NOT NULL AND email IS NOT NULL)),
    CONSTRAINT accounts_closed_when CHECK (status <> 'closed' OR closed_at IS NOT NULL)
);
CREATE TABLE account_tokens (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts,
    purpose TEXT NOT NULL CONSTRAINT account_tokens_purpose_known CHECK (purpose IN ('invitation', 'reset')),
    token_hash BLOB NOT NULL CONSTRAINT account_tokens_once UNIQUE,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    details BLOB,
    created_at BIGINT NOT NULL
);
CREATE INDEX account_tokens_by_account ON account_tokens (account_id);
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    stepped_up_at BIGINT,
    ended_at BIGINT,
    end_reason TEXT,
    CONSTRAINT sessions_ended_for_a_reason CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE TABLE refresh_tokens (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions,
    token_hash BLOB NOT NULL CONSTRAINT refresh_tokens_once UNIQUE,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts,
    role TEXT NOT NULL,
    place_kind TEXT NOT NULL CONSTRAINT grants_place_known CHECK (place_kind IN ('nation', 'province', 'municipality', 'zone', 'partnership')),
    place_ref TEXT NOT NULL,
    flags TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT,
    ended_at BIGINT,
    end_reason TEXT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    CONSTRAINT grants_ended_for_a_reason CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX grants_by_account ON grants (account_id) WHERE ended_at IS NULL;
CREATE INDEX grants_by_place ON grants (place_kind, place_ref) WHERE ended_at IS NULL;
CREATE TABLE throttles (
    bucket BLOB NOT NULL,
    window_start BIGINT NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (bucket, window_start)
);
CREATE INDEX throttles_by_age ON throttles (window_start);
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    decided_at BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    account_id TEXT,
    session_id TEXT,
    grant_id TEXT,
    permission TEXT NOT NULL,
    place TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL CONSTRAINT decisions_outcome_known CHECK (outcome IN ('allowed', 'hidden', 'forbidden', 'step_up'))
);
CREATE INDEX decisions_by_time ON decisions (decided_at);
CREATE TABLE answers (
    owner TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    operation TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    answer BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT answers_once_per_key PRIMARY KEY (owner, idempotency_key)
);
CREATE INDEX answers_by_age ON answers (created_at);
