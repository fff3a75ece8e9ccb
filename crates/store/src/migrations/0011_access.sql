-- Access: vouchers and accounts, what was let in by them, and what did not fit.

CREATE TABLE voucher_batch (
    id TEXT NOT NULL PRIMARY KEY,
    label TEXT NOT NULL,
    -- None: they let in everywhere, and only while the hub answers.
    site TEXT REFERENCES site (code),
    lasts_ms BIGINT NOT NULL,
    begin_before_ms BIGINT NOT NULL,
    devices BIGINT NOT NULL,
    down_kbps BIGINT,
    up_kbps BIGINT,
    vouchers BIGINT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    made_by TEXT NOT NULL
) {strict};
CREATE INDEX voucher_batch_made ON voucher_batch (made_at_ms, id);
CREATE INDEX voucher_batch_site ON voucher_batch (site, made_at_ms, id);

CREATE TABLE voucher (
    id TEXT NOT NULL PRIMARY KEY,
    batch TEXT NOT NULL REFERENCES voucher_batch (id),
    -- Its place on the printed sheet, from 1.
    position BIGINT NOT NULL,
    -- HMAC of the code by a key outside the database.
    digest {bytes} NOT NULL UNIQUE,
    -- Slow hash of the code under the place's salt; none where it does not work offline.
    offline_digest {bytes},
    first_used_at_ms BIGINT,
    revoked_at_ms BIGINT,
    revoked_by TEXT
) {strict};
CREATE UNIQUE INDEX voucher_position ON voucher (batch, position);
CREATE INDEX voucher_offline ON voucher (offline_digest);

-- The salt of a place's offline digests; another one after a box was revoked.
CREATE TABLE voucher_salt (
    site TEXT NOT NULL PRIMARY KEY REFERENCES site (code),
    salt {bytes} NOT NULL,
    since_ms BIGINT NOT NULL
) {strict};

CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    -- Argon2id; never a staff password.
    secret TEXT NOT NULL,
    devices BIGINT NOT NULL,
    session_ms BIGINT,
    down_kbps BIGINT,
    up_kbps BIGINT,
    expires_at_ms BIGINT,
    made_at_ms BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    disabled_at_ms BIGINT
) {strict};
CREATE INDEX account_changed ON account (changed_at_ms, id);

-- One row for each grant of the hub, and for each session that a box let in by itself.
CREATE TABLE access_use (
    -- The grant's number, or the session's where a box let in by itself.
    id TEXT NOT NULL PRIMARY KEY,
    way_in TEXT NOT NULL,
    voucher TEXT,
    account TEXT,
    -- None until the journal tells that the grant was used.
    session TEXT,
    device TEXT NOT NULL,
    site TEXT NOT NULL,
    gateway TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    offline {bool} NOT NULL,
    -- When it was compared with the others; none while that is to be done.
    settled_at_ms BIGINT
) {strict};
CREATE INDEX access_use_voucher ON access_use (voucher, at_ms, id);
CREATE INDEX access_use_account ON access_use (account, at_ms, id);
CREATE INDEX access_use_session ON access_use (session);
CREATE INDEX access_use_settled ON access_use (settled_at_ms, at_ms, id);

CREATE TABLE access_finding (
    -- `<kind>.<use>`: what is found again is the same finding.
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    voucher TEXT,
    account TEXT,
    session TEXT,
    -- The session that was there before, for a double use.
    other_session TEXT,
    other_site TEXT,
    site TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    found_at_ms BIGINT NOT NULL,
    -- More about it, for staff.
    detail TEXT NOT NULL,
    seen_at_ms BIGINT,
    seen_by TEXT
) {strict};
CREATE INDEX access_finding_found ON access_finding (found_at_ms, id);

ALTER TABLE session ADD COLUMN limit_ms BIGINT;
CREATE INDEX session_device ON session (device, began_at_ms);
