DROP TABLE clock_marks;
DROP INDEX messages_missed;
DROP INDEX deliveries_dead;
ALTER TABLE deliveries DROP COLUMN untried;
ALTER TABLE deliveries DROP COLUMN round_from;
DROP TABLE alarms;
