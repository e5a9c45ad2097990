-- Secrets of functions, sealed with the host's secret key.

CREATE TABLE secrets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  function TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
  name TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  UNIQUE (function, name)
) STRICT;
