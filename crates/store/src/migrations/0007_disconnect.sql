-- Sessions that staff end, and until when their devices stay out.

CREATE TABLE disconnect (
    session TEXT NOT NULL PRIMARY KEY,
    site TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    by_whom TEXT NOT NULL,
    until_ms BIGINT NOT NULL
) {strict};
CREATE INDEX disconnect_site ON disconnect (site, until_ms);
