ALTER TABLE attempts DROP COLUMN digest;
