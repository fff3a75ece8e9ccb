-- What looks after boxes from afar: the access points of places.

CREATE TABLE access_point (
    site TEXT NOT NULL,
    -- Its hardware address; one device stands at one place.
    mac TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- None where the box learns it.
    address TEXT,
    added_at_ms BIGINT NOT NULL,
    -- Since when it does not answer; none while it does, or nobody has said.
    lost_at_ms BIGINT
) {strict};
CREATE INDEX access_point_site ON access_point (site, mac);
