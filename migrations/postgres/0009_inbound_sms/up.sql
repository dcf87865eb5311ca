CREATE TABLE inbound_sms (
    message_index bytea PRIMARY KEY,
    sender_index bytea NOT NULL,
    word text NOT NULL CONSTRAINT inbound_sms_word_known CHECK (word IN ('stop', 'start', 'help', 'other')),
    changed integer NOT NULL,
    answer text CONSTRAINT inbound_sms_answer_known CHECK (answer IN ('stop', 'start', 'help', 'other')),
    received_at timestamptz NOT NULL
);
CREATE INDEX inbound_sms_by_sender ON inbound_sms (sender_index, received_at);
CREATE INDEX inbound_sms_by_age ON inbound_sms (received_at);
ALTER TABLE memberships ADD COLUMN sms_stopped_index bytea;
