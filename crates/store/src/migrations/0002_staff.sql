-- Staff: the people who run the service, their sessions, API tokens, failed
-- sign-ins, and answers kept for writes that may be sent twice.

CREATE TABLE staff (
    name TEXT NOT NULL PRIMARY KEY,
    full_name TEXT NOT NULL,
    role TEXT NOT NULL,
    -- The area that the person works in; null is the whole regency.
    area TEXT,
    -- A PHC string of argon2id.
    password TEXT NOT NULL,
    -- True while the password is the one that was handed out.
    one_time {bool} NOT NULL,
    password_at_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    disabled_at_ms BIGINT
) {strict};

CREATE TABLE staff_session (
    -- SHA-256 of the token that the browser holds.
    digest {bytes} NOT NULL PRIMARY KEY,
    staff TEXT NOT NULL REFERENCES staff (name),
    csrf {bytes} NOT NULL,
    began_at_ms BIGINT NOT NULL,
    seen_at_ms BIGINT NOT NULL,
    ends_at_ms BIGINT NOT NULL
) {strict};
CREATE INDEX staff_session_staff ON staff_session (staff);
CREATE INDEX staff_session_ends ON staff_session (ends_at_ms);

CREATE TABLE token (
    id TEXT NOT NULL PRIMARY KEY,
    -- SHA-256 of the token.
    digest {bytes} NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    area TEXT,
    created_by TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    revoked_at_ms BIGINT,
    used_at_ms BIGINT
) {strict};

CREATE TABLE sign_in_failure (
    -- name:<sign-in name> or address:<address>.
    subject TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL
) {strict};

CREATE TABLE idempotency (
    who TEXT NOT NULL,
    key TEXT NOT NULL,
    -- SHA-256 of method, target and body.
    request {bytes} NOT NULL,
    at_ms BIGINT NOT NULL,
    -- Null while the first request is still at work.
    status BIGINT,
    content_type TEXT,
    -- Null when the answer held a secret, which is never kept.
    body {bytes},
    PRIMARY KEY (who, key)
) {strict};
CREATE INDEX idempotency_at ON idempotency (at_ms);
