DROP INDEX deliveries_failed;
ALTER TABLE receipts DROP COLUMN attempt;
DROP TABLE duty_marks;
DROP TABLE endpoint_faults;
DROP INDEX contact_points_suspended;
-- What was suspended is written to again: there is no other word for it here.
UPDATE contact_points SET state = 'verified', suspended_at = NULL, suspended_for = NULL WHERE suspended_at IS NOT NULL;
ALTER TABLE contact_points DROP COLUMN suspended_at;
ALTER TABLE contact_points DROP COLUMN suspended_for;
ALTER TABLE contact_points DROP COLUMN trusted_from;
