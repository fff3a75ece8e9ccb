-- Certificates of portals: what a box asked for last, and what was issued for it.

CREATE TABLE certificate (
    gateway TEXT NOT NULL PRIMARY KEY,
    -- The name that the request is for.
    host TEXT NOT NULL,
    csr {bytes} NOT NULL,
    asked_at_ms BIGINT NOT NULL,
    -- PEM, the box's own first; none until one was issued.
    chain TEXT,
    issued_at_ms BIGINT,
    until_ms BIGINT,
    -- When issuing is tried next: at once, after a failure, or when a new one is due.
    due_at_ms BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    -- Why the last try failed, in English, for staff.
    trouble TEXT
) {strict};
CREATE INDEX certificate_due ON certificate (due_at_ms, gateway);
