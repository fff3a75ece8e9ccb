-- Orders at public certificate authorities (RFC 8555): gone on with after a stop, and counted for limits.

CREATE TABLE acme_order (
    url TEXT NOT NULL PRIMARY KEY,
    -- The address of the authority's directory.
    authority TEXT NOT NULL,
    host TEXT NOT NULL,
    -- SHA-256 of the request, hexadecimal.
    csr TEXT NOT NULL,
    -- Whether the name had a certificate of this authority before.
    renewal {bool} NOT NULL,
    made_at_ms BIGINT NOT NULL,
    -- None while it may become a certificate.
    ended_at_ms BIGINT
) {strict};
CREATE INDEX acme_order_host ON acme_order (host, made_at_ms);
CREATE INDEX acme_order_made ON acme_order (made_at_ms);

-- Who issued it: the address of an authority's directory; none for the hub's own authority.
ALTER TABLE certificate ADD COLUMN authority TEXT;
-- When the authority is asked next when to renew; none where it gives no advice.
ALTER TABLE certificate ADD COLUMN advice_at_ms BIGINT;
-- What kind of trouble it is, for words in both languages.
ALTER TABLE certificate ADD COLUMN trouble_kind TEXT;
-- When the first of the failures since the last success was.
ALTER TABLE certificate ADD COLUMN troubled_at_ms BIGINT;
