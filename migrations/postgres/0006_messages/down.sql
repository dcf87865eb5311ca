DROP TABLE message_events;
DROP TABLE approvals;
DROP TABLE message_versions;
DROP TABLE messages;
