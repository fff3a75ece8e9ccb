-- The fleet: claims, gateways, their chains and journals, sessions, desired states.

CREATE TABLE claim (
    id TEXT NOT NULL PRIMARY KEY,
    -- HMAC of the code by a key outside the database.
    hash {bytes} NOT NULL UNIQUE,
    site TEXT NOT NULL REFERENCES site (code),
    issued_at_ms BIGINT NOT NULL,
    issued_by TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT,
    used_by TEXT,
    withdrawn_at_ms BIGINT
) {strict};
CREATE INDEX claim_site ON claim (site, issued_at_ms);

CREATE TABLE gateway (
    id TEXT NOT NULL PRIMARY KEY,
    site TEXT NOT NULL REFERENCES site (code),
    public_key {bytes} NOT NULL,
    hardware TEXT NOT NULL,
    capabilities {json} NOT NULL,
    enrolled_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT,
    revoked_why TEXT
) {strict};
CREATE INDEX gateway_site ON gateway (site, enrolled_at_ms);

-- Where a gateway's chain stands, and the key that signs its next entry.
CREATE TABLE chain (
    gateway TEXT NOT NULL PRIMARY KEY REFERENCES gateway (id),
    seq BIGINT NOT NULL,
    hash {bytes} NOT NULL,
    signer {bytes} NOT NULL
) {strict};

CREATE TABLE journal_entry (
    gateway TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    boot {bytes} NOT NULL,
    mono_ms BIGINT NOT NULL,
    -- None while the box's clock was not set; an anchor entry dates it later.
    wall_ms BIGINT,
    received_at_ms BIGINT NOT NULL,
    sealed {bytes} NOT NULL,
    PRIMARY KEY (gateway, seq)
) {strict};

CREATE INDEX journal_entry_arrived ON journal_entry (kind, received_at_ms, gateway, seq);

-- What came in the name of a gateway and does not fit, for the operator.
CREATE TABLE journal_aside (
    gateway TEXT NOT NULL,
    digest {bytes} NOT NULL,
    at_ms BIGINT NOT NULL,
    why TEXT NOT NULL,
    sealed {bytes} NOT NULL,
    PRIMARY KEY (gateway, digest)
) {strict};

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    site TEXT NOT NULL,
    gateway TEXT NOT NULL,
    -- A keyed digest: the same device has the same text, which says nothing else.
    device TEXT,
    way_in TEXT,
    terms BIGINT,
    language TEXT,
    began_at_ms BIGINT,
    lasted_ms BIGINT NOT NULL,
    ended_reason TEXT,
    up_bytes BIGINT NOT NULL,
    down_bytes BIGINT NOT NULL,
    up_packets BIGINT NOT NULL,
    down_packets BIGINT NOT NULL,
    -- The run and its time at the beginning, for a box whose clock is not set.
    boot {bytes} NOT NULL,
    began_mono_ms BIGINT NOT NULL
) {strict};
CREATE INDEX session_site ON session (site, began_at_ms, id);
CREATE INDEX session_began ON session (began_at_ms, id);

CREATE TABLE desired (
    gateway TEXT NOT NULL PRIMARY KEY REFERENCES gateway (id),
    epoch BIGINT NOT NULL,
    counter BIGINT NOT NULL,
    -- Digest of the list of sections: the same content keeps its version.
    content {bytes} NOT NULL,
    manifest {bytes} NOT NULL
) {strict};

CREATE TABLE blob (
    sha256 {bytes} NOT NULL PRIMARY KEY,
    bytes {bytes} NOT NULL,
    made_at_ms BIGINT NOT NULL
) {strict};
