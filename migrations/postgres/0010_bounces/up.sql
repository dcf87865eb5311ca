ALTER TABLE contact_points ADD COLUMN trusted_from timestamptz;
ALTER TABLE contact_points ADD COLUMN suspended_for text CONSTRAINT contact_points_suspended_for_known CHECK (suspended_for IN ('bounced', 'keeps_failing'));
ALTER TABLE contact_points ADD COLUMN suspended_at timestamptz CONSTRAINT contact_points_suspended_for_a_reason CHECK ((suspended_at IS NULL) = (suspended_for IS NULL) AND (suspended_at IS NULL OR state = 'invalid'));
CREATE INDEX contact_points_suspended ON contact_points (kind, person_id) WHERE suspended_at IS NOT NULL;
CREATE TABLE endpoint_faults (
    delivery_id bigint PRIMARY KEY REFERENCES deliveries,
    batch_id uuid NOT NULL,
    person_id uuid NOT NULL,
    channel text NOT NULL CONSTRAINT endpoint_faults_channel_known CHECK (channel IN ('email', 'sms')),
    endpoint_index bytea NOT NULL,
    kind text NOT NULL CONSTRAINT endpoint_faults_kind_known CHECK (kind IN ('hard', 'soft')),
    reason text NOT NULL,
    sent_at timestamptz NOT NULL,
    happened_at timestamptz NOT NULL,
    handled_at timestamptz,
    forgiven_at timestamptz
);
CREATE INDEX endpoint_faults_open ON endpoint_faults (happened_at, delivery_id) WHERE handled_at IS NULL;
CREATE INDEX endpoint_faults_by_endpoint ON endpoint_faults (endpoint_index, happened_at);
CREATE INDEX endpoint_faults_by_batch ON endpoint_faults (batch_id, channel);
CREATE INDEX endpoint_faults_by_person ON endpoint_faults (person_id, channel);
CREATE INDEX endpoint_faults_old ON endpoint_faults (happened_at);
CREATE TABLE duty_marks (
    duty text PRIMARY KEY,
    reached_at timestamptz NOT NULL
);
CREATE INDEX deliveries_failed ON deliveries (settled_at, id) WHERE state IN ('failed', 'expired');
