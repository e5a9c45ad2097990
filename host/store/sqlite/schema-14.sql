-- Who may do what, and what was done.

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  -- SHA-256 of the token, which is nowhere.
  hash BLOB NOT NULL UNIQUE,
  -- Null: for all.
  namespace TEXT,
  settings_json TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  used_at_ms INTEGER
) STRICT;

-- A row is there before its change is made, and has no status until it is known what became of that.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  method TEXT NOT NULL,
  target TEXT NOT NULL,
  namespace TEXT NOT NULL,
  request_id TEXT NOT NULL,
  status INTEGER,
  before_json TEXT,
  after_json TEXT
) STRICT;

CREATE INDEX audit_by_time ON audit (at_ms);
