-- Reports: what people say is wrong at a place. Those taken by a box come with its journal.

CREATE TABLE report (
    -- `<gateway>.<number of the journal entry>`: an entry that comes again is the same report.
    id TEXT NOT NULL PRIMARY KEY,
    site TEXT NOT NULL,
    gateway TEXT NOT NULL,
    -- The number that the box told the person; it counts from one at each box.
    local_number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    language TEXT NOT NULL,
    -- None while the box's clock was not set; an anchor entry dates it later.
    at_ms BIGINT,
    boot {bytes} NOT NULL,
    mono_ms BIGINT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    status TEXT NOT NULL,
    status_at_ms BIGINT,
    status_by TEXT
) {strict};
CREATE INDEX report_received ON report (received_at_ms, id);
CREATE INDEX report_site ON report (site, received_at_ms, id);
CREATE INDEX report_status ON report (status, received_at_ms, id);
CREATE INDEX report_undated ON report (gateway, boot);
