-- Watch: minutes, hours, and the outages that they show. Times are milliseconds
-- UTC; the key of what is kept for ever begins with the site.

-- The latest hours as beats told them, in order of time; the hour block is the record.
CREATE TABLE hot (
    at_ms BIGINT NOT NULL,
    site TEXT NOT NULL,
    facts BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    people BIGINT NOT NULL,
    rtt_us BIGINT,
    sent BIGINT NOT NULL,
    lost BIGINT NOT NULL,
    PRIMARY KEY (at_ms, site)
) {strict};

-- Hour blocks as gateways packed and signed them. A place whose box was replaced
-- within an hour has two.
CREATE TABLE pack (
    site TEXT NOT NULL,
    hour_ms BIGINT NOT NULL,
    kind TEXT NOT NULL,
    gateway TEXT NOT NULL,
    codec BIGINT NOT NULL,
    n BIGINT NOT NULL,
    crc BIGINT NOT NULL,
    block {bytes} NOT NULL,
    PRIMARY KEY (site, hour_ms, kind, gateway)
) {strict};
CREATE INDEX pack_hour ON pack (hour_ms);

-- What an hour came to. `facts` has four bits a minute (model::facts).
CREATE TABLE roll_hour (
    site TEXT NOT NULL,
    hour_ms BIGINT NOT NULL,
    facts {bytes} NOT NULL,
    up_s BIGINT NOT NULL,
    degraded_s BIGINT NOT NULL,
    down_s BIGINT NOT NULL,
    unknown_s BIGINT NOT NULL,
    excused_s BIGINT NOT NULL,
    closed_s BIGINT NOT NULL,
    minutes BIGINT NOT NULL,
    answered BIGINT NOT NULL,
    rtt_min_us BIGINT NOT NULL,
    rtt_sum_us BIGINT NOT NULL,
    rtt_max_us BIGINT NOT NULL,
    rtt_p95_us BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    lost BIGINT NOT NULL,
    usage_minutes BIGINT NOT NULL,
    people_max BIGINT NOT NULL,
    people_sum BIGINT NOT NULL,
    begun BIGINT NOT NULL,
    down_bytes BIGINT NOT NULL,
    up_bytes BIGINT NOT NULL,
    PRIMARY KEY (site, hour_ms)
) {strict};

CREATE TABLE outage (
    number BIGINT NOT NULL PRIMARY KEY,
    site TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT,
    seconds BIGINT NOT NULL,
    silent_seconds BIGINT NOT NULL,
    cause TEXT NOT NULL,
    parent BIGINT,
    upstream TEXT,
    revision BIGINT NOT NULL,
    evidence BIGINT,
    withdrawn {bool} NOT NULL
) {strict};
CREATE INDEX outage_site ON outage (site, from_ms);
CREATE INDEX outage_open ON outage (to_ms);

-- Every state that an outage was ever in. Append-only.
CREATE TABLE outage_revision (
    number BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT,
    seconds BIGINT NOT NULL,
    silent_seconds BIGINT NOT NULL,
    cause TEXT NOT NULL,
    withdrawn {bool} NOT NULL,
    PRIMARY KEY (number, revision)
) {strict};

-- What gateways wrote down that may explain an outage.
CREATE TABLE clue (
    site TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT NOT NULL,
    cause TEXT NOT NULL,
    PRIMARY KEY (site, from_ms, to_ms, cause)
) {strict};

-- When the hub was watching; whatever lies between two rows it did not see.
CREATE TABLE watching (
    from_ms BIGINT NOT NULL PRIMARY KEY,
    to_ms BIGINT NOT NULL
) {strict};

-- Stretches of a site's time whose outages and seconds must be found anew.
CREATE TABLE unsettled (
    site TEXT NOT NULL PRIMARY KEY,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT NOT NULL
) {strict};
