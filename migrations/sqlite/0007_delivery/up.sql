-- Made from the same sentences as ../../postgres; ids are hyphenated text, moments are microseconds since 1970, documents are JSON text.
CREATE TABLE contents (
    id TEXT PRIMARY KEY,
    batch_id TEXT NOT NULL,
    language TEXT NOT NULL,
    channel TEXT NOT NULL,
    body BLOB,
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT contents_once_per_language_and_channel UNIQUE (batch_id, language, channel)
);
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    channel TEXT NOT NULL CONSTRAINT deliveries_channel_known CHECK (channel IN ('email', 'sms')),
    lane SMALLINT NOT NULL,
    content_id TEXT REFERENCES contents,
    membership_id TEXT,
    address BLOB,
    state TEXT NOT NULL CONSTRAINT deliveries_state_known CHECK (state IN ('planned', 'queued', 'attempting', 'unknown', 'accepted', 'at_operator', 'at_handset', 'acknowledged', 'deferred', 'failed', 'suppressed', 'expired', 'cancelled')),
    reason TEXT,
    due_at BIGINT,
    deadline BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    lease TEXT,
    provider TEXT,
    reference TEXT,
    settled_at BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT deliveries_once_per_person_and_channel UNIQUE (batch_id, person_id, channel),
    CONSTRAINT deliveries_due_can_be_handed_over CHECK (due_at IS NULL OR (content_id IS NOT NULL AND address IS NOT NULL)),
    CONSTRAINT deliveries_leased_while_attempting CHECK ((state = 'attempting') = (lease IS NOT NULL))
);
CREATE INDEX deliveries_due ON deliveries (channel, lane, due_at, id) WHERE due_at IS NOT NULL;
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery_id BIGINT NOT NULL REFERENCES deliveries,
    number INTEGER NOT NULL,
    lease TEXT NOT NULL,
    provider TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    outcome TEXT CONSTRAINT attempts_outcome_known CHECK (outcome IN ('accepted', 'deferred', 'refused', 'unknown', 'lost')),
    reference TEXT,
    reason TEXT,
    CONSTRAINT attempts_numbered UNIQUE (delivery_id, number)
);
CREATE TABLE receipts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery_id BIGINT NOT NULL REFERENCES deliveries,
    provider TEXT NOT NULL,
    level TEXT NOT NULL,
    code TEXT NOT NULL,
    reference TEXT,
    received_at BIGINT NOT NULL
);
CREATE INDEX receipts_by_delivery ON receipts (delivery_id);
CREATE INDEX deliveries_open ON deliveries (batch_id) WHERE settled_at IS NULL;
CREATE INDEX deliveries_to_forget ON deliveries (settled_at) WHERE address IS NOT NULL;
