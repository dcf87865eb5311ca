ALTER TABLE attempts DROP COLUMN letterhead_id;
DROP TABLE letterheads;
ALTER TABLE attempts DROP COLUMN digest;
