-- Routes: requests that go to a function by a path or host name of one's own, or get a fixed answer.

CREATE TABLE routes (
  id TEXT PRIMARY KEY,
  -- What two patterns have in common that take the same requests.
  shape TEXT NOT NULL UNIQUE,
  -- Null for a fixed answer.
  function TEXT REFERENCES functions (name) ON DELETE CASCADE,
  settings_json TEXT NOT NULL,
  changed_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX routes_by_function ON routes (function) WHERE function IS NOT NULL;
