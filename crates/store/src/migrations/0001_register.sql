-- The register: areas, their boundaries, categories, sites; and what every room
-- uses: settings and the audit.

CREATE TABLE setting (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) {strict};

CREATE TABLE area (
    code TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    local_kind TEXT NOT NULL,
    parent TEXT REFERENCES area (code),
    bps_code TEXT,
    lat DOUBLE PRECISION NOT NULL,
    lon DOUBLE PRECISION NOT NULL
) {strict};
CREATE INDEX area_parent ON area (parent);

-- A shape is the JSON of its polygons: arrays of rings of [longitude, latitude].
CREATE TABLE boundary (
    area TEXT NOT NULL PRIMARY KEY REFERENCES area (code),
    polygons {json} NOT NULL
) {strict};

CREATE TABLE category (
    key TEXT NOT NULL PRIMARY KEY,
    prefix TEXT NOT NULL UNIQUE,
    name_id TEXT NOT NULL,
    name_en TEXT NOT NULL,
    rank BIGINT NOT NULL,
    within TEXT,
    down_kbps BIGINT,
    up_kbps BIGINT,
    hides_presence {bool} NOT NULL
) {strict};

CREATE TABLE site (
    code TEXT NOT NULL PRIMARY KEY,
    category TEXT NOT NULL REFERENCES category (key),
    name TEXT NOT NULL,
    area TEXT NOT NULL REFERENCES area (code),
    lat DOUBLE PRECISION NOT NULL,
    lon DOUBLE PRECISION NOT NULL,
    position_quality TEXT NOT NULL,
    position_basis TEXT,
    name_quality TEXT NOT NULL,
    source TEXT NOT NULL,
    official_id TEXT,
    address TEXT,
    stage TEXT NOT NULL,
    down_kbps BIGINT,
    up_kbps BIGINT,
    upstream TEXT,
    revision BIGINT NOT NULL,
    -- Name, code and address folded to lower case by the program: SQLite folds
    -- only ASCII and PostgreSQL by its locale.
    search TEXT NOT NULL
) {strict};
CREATE INDEX site_area ON site (area);
CREATE INDEX site_category ON site (category, code);
CREATE INDEX site_name ON site (name, code);

-- An import is staged row by row, then marked as `applying` in one step: from
-- there it is finished whatever happens, in batches that keep nobody waiting.
CREATE TABLE import_run (
    id TEXT NOT NULL PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    file_name TEXT NOT NULL,
    applying {bool} NOT NULL,
    summary {json} NOT NULL
) {strict};

CREATE TABLE import_row (
    import_id TEXT NOT NULL REFERENCES import_run (id),
    seq BIGINT NOT NULL,
    noun TEXT NOT NULL,
    body {json} NOT NULL,
    body_before {json},
    PRIMARY KEY (import_id, seq)
) {strict};

-- Append-only: there is no statement that changes or deletes a row.
CREATE TABLE audit (
    id BIGINT NOT NULL PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    act TEXT NOT NULL,
    noun TEXT NOT NULL,
    object TEXT NOT NULL,
    body_before {json},
    body_after {json}
) {strict};
CREATE INDEX audit_object ON audit (noun, object, id);
