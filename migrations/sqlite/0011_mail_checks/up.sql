-- Made from the same sentences as ../../postgres; moments are microseconds since 1970, documents are JSON text.
CREATE TABLE mail_checks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain TEXT NOT NULL,
    subject TEXT NOT NULL,
    verdict TEXT NOT NULL CONSTRAINT mail_checks_verdict_known CHECK (verdict IN ('passed', 'unknown', 'failed')),
    summary TEXT NOT NULL,
    checked_at BIGINT NOT NULL
);
CREATE INDEX mail_checks_by_subject ON mail_checks (subject, id);
