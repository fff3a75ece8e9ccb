-- The key of a staged row: by it readers find what a decided import has not yet moved.
ALTER TABLE import_row ADD COLUMN object TEXT NOT NULL DEFAULT '';
CREATE INDEX import_row_object ON import_row (import_id, noun, object);
