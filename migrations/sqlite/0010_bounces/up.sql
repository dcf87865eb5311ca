-- Made from the same sentences as ../../postgres; ids are hyphenated text, moments are microseconds since 1970.
ALTER TABLE contact_points ADD COLUMN trusted_from BIGINT;
ALTER TABLE contact_points ADD COLUMN suspended_for TEXT CONSTRAINT contact_points_suspended_for_known CHECK (suspended_for IN ('bounced', 'keeps_failing'));
ALTER TABLE contact_points ADD COLUMN suspended_at BIGINT CONSTRAINT contact_points_suspended_for_a_reason CHECK ((suspended_at IS NULL) = (suspended_for IS NULL) AND (suspended_at IS NULL OR state = 'invalid'));
CREATE INDEX contact_points_suspended ON contact_points (kind, person_id) WHERE suspended_at IS NOT NULL;
CREATE TABLE endpoint_faults (
    id INTEGER PRIMARY KEY,
    delivery_id INTEGER NOT NULL REFERENCES deliveries,
    attempt INTEGER NOT NULL,
    batch_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    channel TEXT NOT NULL CONSTRAINT endpoint_faults_channel_known CHECK (channel IN ('email', 'sms')),
    endpoint_index BLOB NOT NULL,
    kind TEXT NOT NULL CONSTRAINT endpoint_faults_kind_known CHECK (kind IN ('hard', 'soft')),
    reason TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    happened_at BIGINT NOT NULL,
    handled_at BIGINT,
    forgiven_at BIGINT,
    CONSTRAINT endpoint_faults_each_attempt_once UNIQUE (delivery_id, attempt)
);
CREATE INDEX endpoint_faults_open ON endpoint_faults (happened_at, id) WHERE handled_at IS NULL;
CREATE INDEX endpoint_faults_by_endpoint ON endpoint_faults (endpoint_index, happened_at);
CREATE INDEX endpoint_faults_by_batch ON endpoint_faults (batch_id, channel);
CREATE INDEX endpoint_faults_by_person ON endpoint_faults (person_id, channel);
CREATE INDEX endpoint_faults_old ON endpoint_faults (happened_at);
CREATE TABLE duty_marks (
    duty TEXT PRIMARY KEY,
    reached_at BIGINT NOT NULL
);
-- Of which attempt a report speaks: of the last one when it came.
ALTER TABLE receipts ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_failed ON deliveries (settled_at, id) WHERE state IN ('failed', 'expired') AND address IS NOT NULL;
