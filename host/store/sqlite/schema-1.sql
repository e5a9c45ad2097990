-- Functions, their versions, and what is known of crashes. Times are Unix milliseconds.

CREATE TABLE functions (
  name TEXT PRIMARY KEY,
  live_version INTEGER,
  version_last INTEGER NOT NULL DEFAULT 0,
  config_json TEXT NOT NULL,
  config_revision INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE versions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  digest TEXT NOT NULL,
  abi TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  suspect INTEGER NOT NULL DEFAULT 0,
  quarantined INTEGER NOT NULL DEFAULT 0,
  UNIQUE (name, version),
  UNIQUE (name, digest)
) STRICT;

CREATE INDEX versions_by_digest ON versions (digest);

-- One row for each crash in which a version was the only suspect.
CREATE TABLE crashes (
  version_id INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
  at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX crashes_by_version ON crashes (version_id, at_ms);
