-- The boxes' ends of the tunnel to the data centre.

CREATE TABLE tunnel_end (
    gateway TEXT NOT NULL PRIMARY KEY,
    public_key {bytes} NOT NULL,
    -- Kind and network of each segment behind it, one a line.
    networks TEXT NOT NULL,
    told_at_ms BIGINT NOT NULL,
    -- What the hub gave it from the pool; they stay its own.
    address4 TEXT,
    address6 TEXT,
    -- What the box's journal said last; none before.
    is_up {bool},
    changed_at_ms BIGINT,
    why TEXT
) {strict};
