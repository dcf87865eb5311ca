CREATE TABLE alarms (
    id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT alarms_kind_known CHECK (kind IN ('urgent_without_handover', 'urgent_stuck', 'provider_down', 'queue_unreadable', 'clock_wrong')),
    subject text NOT NULL,
    zone_id uuid REFERENCES zones,
    raised_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    told_at timestamptz,
    cleared_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by uuid REFERENCES accounts,
    CONSTRAINT alarms_acknowledged_by_whom CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE UNIQUE INDEX alarms_raised_once ON alarms (kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX alarms_told ON alarms (kind, subject, told_at);
CREATE INDEX alarms_over ON alarms (cleared_at);
ALTER TABLE deliveries ADD COLUMN round_from integer NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN untried integer NOT NULL DEFAULT 0;
CREATE INDEX deliveries_dead ON deliveries (batch_id, id) WHERE state IN ('failed', 'expired');
CREATE INDEX messages_missed ON messages (completed_at) WHERE status IN ('completed', 'completed_with_failures');
CREATE TABLE clock_marks (
    id smallint PRIMARY KEY CONSTRAINT clock_marks_one CHECK (id = 1),
    seen_at timestamptz NOT NULL,
    doubted_until timestamptz,
    machine text,
    counter bigint
);
