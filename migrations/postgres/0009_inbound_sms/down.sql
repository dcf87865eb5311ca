ALTER TABLE memberships DROP COLUMN sms_stopped_index;
DROP TABLE inbound_sms;
