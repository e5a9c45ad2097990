-- Key-value stores. A store is there while it has keys. Keys are UTF-8 in BLOBs: any character may be in
-- one, and they sort by their bytes.

CREATE TABLE kv (
  store TEXT NOT NULL,
  key BLOB NOT NULL,
  value BLOB NOT NULL,
  -- Counts changes over all keys: a key that is deleted and set again never has a version it had before.
  version INTEGER NOT NULL,
  expires_at_ms INTEGER,
  UNIQUE (store, key)
) STRICT;

CREATE INDEX kv_by_expiry ON kv (expires_at_ms) WHERE expires_at_ms IS NOT NULL;

CREATE TABLE kv_changes (last INTEGER NOT NULL) STRICT;
INSERT INTO kv_changes (last) VALUES (0);
