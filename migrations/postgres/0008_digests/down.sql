DROP INDEX deliveries_to_forget;
CREATE INDEX deliveries_to_forget ON deliveries (settled_at) WHERE address IS NOT NULL;
ALTER TABLE attempts DROP COLUMN letterhead_id;
DROP TABLE letterheads;
ALTER TABLE attempts DROP COLUMN digest;
