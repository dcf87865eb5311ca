-- Made from the same sentences as ../../postgres; ids are hyphenated text, moments are microseconds since 1970, documents are JSON text.
CREATE TABLE alarms (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CONSTRAINT alarms_kind_known CHECK (kind IN ('urgent_without_handover', 'urgent_stuck', 'provider_down', 'queue_unreadable', 'clock_wrong')),
    subject TEXT NOT NULL,
    zone_id TEXT REFERENCES zones,
    raised_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    told_at BIGINT,
    cleared_at BIGINT,
    acknowledged_at BIGINT,
    acknowledged_by TEXT REFERENCES accounts,
    CONSTRAINT alarms_acknowledged_by_whom CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE UNIQUE INDEX alarms_raised_once ON alarms (kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX alarms_told ON alarms (kind, subject, told_at);
CREATE INDEX alarms_over ON alarms (cleared_at);
ALTER TABLE deliveries ADD COLUMN round_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN untried INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_dead ON deliveries (batch_id, id) WHERE state IN ('failed', 'expired');
CREATE INDEX messages_missed ON messages (completed_at) WHERE status IN ('completed', 'completed_with_failures');
CREATE TABLE clock_marks (
    id SMALLINT PRIMARY KEY CONSTRAINT clock_marks_one CHECK (id = 1),
    seen_at BIGINT NOT NULL,
    doubted_until BIGINT,
    machine TEXT,
    counter BIGINT
);
