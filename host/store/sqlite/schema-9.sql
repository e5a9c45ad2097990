-- The files that a version may carry, by the digest of their stored form: the same module with other files is
-- another version. The digest of the module alone was unique before, which takes a new table; what refers to
-- the old one is kept aside, and ids go on from where they were.

CREATE TABLE crashes_kept AS SELECT version_id, at_ms FROM crashes;
DROP TABLE crashes;

CREATE TABLE versions_new (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  digest TEXT NOT NULL,
  abi TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  suspect INTEGER NOT NULL DEFAULT 0,
  quarantined INTEGER NOT NULL DEFAULT 0,
  new_us REAL,
  reset_us REAL,
  metered INTEGER NOT NULL DEFAULT 1,
  -- "" for none.
  files_digest TEXT NOT NULL DEFAULT '',
  files_bytes INTEGER NOT NULL DEFAULT 0,
  UNIQUE (name, version),
  UNIQUE (name, digest, files_digest)
) STRICT;

INSERT INTO versions_new
  (id, name, version, digest, abi, size_bytes, created_at_ms, suspect, quarantined, new_us, reset_us, metered)
  SELECT id, name, version, digest, abi, size_bytes, created_at_ms, suspect, quarantined, new_us, reset_us, metered
  FROM versions;

DELETE FROM sqlite_sequence WHERE name = 'versions_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'versions_new', seq FROM sqlite_sequence WHERE name = 'versions';

DROP TABLE versions;
ALTER TABLE versions_new RENAME TO versions;

CREATE INDEX versions_by_digest ON versions (digest);
CREATE INDEX versions_by_files ON versions (files_digest) WHERE files_digest <> '';

CREATE TABLE crashes (
  version_id INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
  at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO crashes (version_id, at_ms) SELECT version_id, at_ms FROM crashes_kept;
DROP TABLE crashes_kept;

CREATE INDEX crashes_by_version ON crashes (version_id, at_ms);
