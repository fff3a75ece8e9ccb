-- Programs for boxes, and how they are rolled out.

CREATE TABLE release (
    -- Digest of the program; the file lies in the hub's data directory under it.
    sha256 {bytes} NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    target TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    signed_at_ms BIGINT NOT NULL,
    -- Which key signed, by its id.
    key_id TEXT NOT NULL,
    -- As it was signed: what boxes check.
    statement {bytes} NOT NULL,
    taken_at_ms BIGINT NOT NULL,
    taken_by TEXT NOT NULL
) {strict};
CREATE INDEX release_version ON release (version, target, signed_at_ms);

CREATE TABLE rollout (
    number BIGINT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    -- Arrays of scopes, one for each stage.
    stages {json} NOT NULL,
    state TEXT NOT NULL,
    -- The stage that began last, from 1.
    stage BIGINT NOT NULL,
    stage_begun_at_ms BIGINT NOT NULL,
    -- None until every box of the stage was told.
    told_at_ms BIGINT,
    begun_at_ms BIGINT NOT NULL,
    begun_by TEXT NOT NULL,
    -- When, by whom and why the state became what it is.
    changed_at_ms BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    why TEXT NOT NULL,
    at_once {bool} NOT NULL,
    quiet_from BIGINT NOT NULL,
    quiet_until BIGINT NOT NULL,
    wait_ms BIGINT NOT NULL,
    most_undone BIGINT NOT NULL
) {strict};

-- A row for each box that was told.
CREATE TABLE rollout_box (
    rollout BIGINT NOT NULL REFERENCES rollout (number),
    gateway TEXT NOT NULL,
    site TEXT NOT NULL,
    stage BIGINT NOT NULL,
    program {bytes} NOT NULL,
    told_at_ms BIGINT NOT NULL,
    -- None until the box has said something of it.
    step TEXT,
    reason TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    -- Staff went on without it after it failed.
    aside {bool} NOT NULL,
    PRIMARY KEY (rollout, gateway)
) {strict};
CREATE INDEX rollout_box_stage ON rollout_box (rollout, stage);
CREATE INDEX rollout_box_gateway ON rollout_box (gateway, program, rollout);

-- What runs on a box, and when it was last heard, within some minutes.
CREATE TABLE gateway_run (
    gateway TEXT NOT NULL PRIMARY KEY,
    -- The release's program; none for the one that was installed.
    program {bytes},
    -- What it is trying.
    trying {bytes},
    heard_at_ms BIGINT
) {strict};
