-- What staff ask of boxes from afar, and what these answer.

CREATE TABLE diagnostic (
    id TEXT NOT NULL PRIMARY KEY,
    gateway TEXT NOT NULL,
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- None for kinds that are about the box itself.
    target TEXT,
    asked_at_ms BIGINT NOT NULL,
    asked_by TEXT NOT NULL,
    -- Not begun after this.
    until_ms BIGINT NOT NULL,
    -- None until the box has answered.
    answered_at_ms BIGINT,
    outcome TEXT,
    took_ms BIGINT,
    answer TEXT
) {strict};
CREATE INDEX diagnostic_gateway ON diagnostic (gateway, asked_at_ms);
CREATE INDEX diagnostic_asked ON diagnostic (asked_at_ms);
