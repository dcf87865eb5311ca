-- Made from the same sentences as ../../postgres; ids are hyphenated text, moments are microseconds since 1970, documents are JSON text.
CREATE TABLE inbound_sms (
    message_index BLOB PRIMARY KEY NOT NULL,
    sender_index BLOB NOT NULL,
    word TEXT NOT NULL CONSTRAINT inbound_sms_word_known CHECK (word IN ('stop', 'start', 'help', 'other')),
    changed INTEGER NOT NULL,
    answer TEXT CONSTRAINT inbound_sms_answer_known CHECK (answer IN ('stop', 'start', 'help', 'other')),
    received_at BIGINT NOT NULL
);
CREATE INDEX inbound_sms_by_sender ON inbound_sms (sender_index, received_at);
CREATE INDEX inbound_sms_by_age ON inbound_sms (received_at);
ALTER TABLE memberships ADD COLUMN sms_stopped_index BLOB;
