-- Ways out of a place that has two: when it went over, and what each carried for it.

CREATE TABLE line_switch (
    site TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    -- `uplink` is the provider's, `backup` the community's.
    line TEXT NOT NULL,
    why TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (site, at_ms, line)
) {strict};

CREATE TABLE line_use (
    site TEXT NOT NULL,
    -- The end of the stretch, which lasted `length_ms`.
    at_ms BIGINT NOT NULL,
    line TEXT NOT NULL,
    owner TEXT NOT NULL,
    length_ms BIGINT NOT NULL,
    up_bytes BIGINT NOT NULL,
    down_bytes BIGINT NOT NULL,
    PRIMARY KEY (site, at_ms, line)
) {strict};
