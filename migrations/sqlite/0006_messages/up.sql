-- Made from the same sentences as ../../postgres; ids are hyphenated text, moments are microseconds since 1970, documents are JSON text.
CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    partnership_id TEXT NOT NULL REFERENCES partnerships,
    thread_id TEXT NOT NULL,
    class TEXT NOT NULL CONSTRAINT messages_class_known CHECK (class IN ('urgent', 'non_urgent')),
    kind TEXT NOT NULL CONSTRAINT messages_kind_known CHECK (kind IN ('start', 'update', 'end', 'feedback', 'correction', 'prevention', 'meeting', 'admin', 'survey')),
    mode TEXT NOT NULL CONSTRAINT messages_mode_known CHECK (mode IN ('live', 'exercise')),
    source TEXT NOT NULL CONSTRAINT messages_source_known CHECK (source IN ('police', 'member_report', 'other')),
    status TEXT NOT NULL CONSTRAINT messages_status_known CHECK (status IN ('draft', 'submitted', 'returned', 'rejected', 'approved', 'awaiting_release', 'dispatching', 'completed', 'completed_with_failures', 'stopped', 'discarded', 'expired')),
    corrects_id TEXT REFERENCES messages,
    short_code TEXT NOT NULL CONSTRAINT messages_short_code_once UNIQUE,
    validity_minutes INTEGER NOT NULL CONSTRAINT messages_validity_sane CHECK (validity_minutes BETWEEN 5 AND 20160),
    author_id TEXT NOT NULL REFERENCES accounts,
    author_role TEXT NOT NULL,
    current_version INTEGER NOT NULL,
    submitted_by TEXT REFERENCES accounts,
    submitted_at BIGINT,
    decided_by TEXT REFERENCES accounts,
    decided_at BIGINT,
    reason TEXT,
    valid_until BIGINT,
    stopped_at BIGINT,
    completed_at BIGINT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT messages_submitted_by_whom CHECK (status IN ('draft', 'discarded', 'returned') OR (submitted_by IS NOT NULL AND submitted_at IS NOT NULL)),
    CONSTRAINT messages_refused_for_a_reason CHECK (status NOT IN ('returned', 'rejected', 'stopped') OR reason IS NOT NULL),
    CONSTRAINT messages_dispatching_is_approved CHECK (status NOT IN ('approved', 'awaiting_release', 'dispatching', 'completed', 'completed_with_failures', 'stopped') OR (decided_by IS NOT NULL AND decided_at IS NOT NULL AND valid_until IS NOT NULL)),
    CONSTRAINT messages_stopped_when CHECK (status <> 'stopped' OR stopped_at IS NOT NULL)
);
CREATE INDEX messages_by_partnership ON messages (partnership_id, id);
CREATE INDEX messages_by_thread ON messages (thread_id);
CREATE INDEX messages_waiting ON messages (status, partnership_id) WHERE status IN ('submitted', 'awaiting_release', 'dispatching');
CREATE TABLE message_versions (
    id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL REFERENCES messages,
    number INTEGER NOT NULL,
    texts TEXT NOT NULL,
    rendered TEXT NOT NULL,
    audience TEXT NOT NULL,
    hash TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES accounts,
    created_at BIGINT NOT NULL,
    CONSTRAINT message_versions_numbered UNIQUE (message_id, number)
);
CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL CONSTRAINT approvals_once_per_message UNIQUE REFERENCES messages,
    version_id TEXT NOT NULL REFERENCES message_versions,
    hash TEXT NOT NULL,
    plan_number INTEGER NOT NULL,
    policy TEXT NOT NULL CONSTRAINT approvals_policy_known CHECK (policy IN ('dual', 'solo_duty', 'correction', 'own_non_urgent', 'release_alone')),
    reason TEXT,
    checklist TEXT NOT NULL,
    audience TEXT NOT NULL,
    officer_id TEXT NOT NULL REFERENCES accounts,
    approved_at BIGINT NOT NULL,
    after_review_due_at BIGINT,
    after_reviewed_by TEXT REFERENCES accounts,
    after_reviewed_at BIGINT,
    CONSTRAINT approvals_solo_has_reason CHECK (policy <> 'solo_duty' OR (reason IS NOT NULL AND after_review_due_at IS NOT NULL))
);
CREATE TABLE message_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL REFERENCES messages,
    happened_at BIGINT NOT NULL,
    account_id TEXT,
    event TEXT NOT NULL,
    from_status TEXT NOT NULL,
    to_status TEXT NOT NULL,
    version_number INTEGER NOT NULL,
    hash TEXT NOT NULL,
    reason TEXT
);
CREATE INDEX message_events_by_message ON message_events (message_id, id);
