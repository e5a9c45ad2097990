-- Aliases of functions, `live` among them, which had a column of its own before.

CREATE TABLE aliases (
  function TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
  alias TEXT NOT NULL,
  version INTEGER NOT NULL,
  -- Null for no split.
  canary_version INTEGER,
  -- Of 10,000.
  canary_share INTEGER NOT NULL DEFAULT 0,
  sticky_json TEXT,
  guard_json TEXT,
  -- When and why the canary's share was set to 0.
  taken_back_json TEXT,
  -- What `version` was before.
  version_before INTEGER,
  -- Of the function's `alias_changes`: one that is removed and made anew never has a revision it had before.
  revision INTEGER NOT NULL,
  changed_at_ms INTEGER NOT NULL,
  PRIMARY KEY (function, alias),
  FOREIGN KEY (function, version) REFERENCES versions (name, version),
  FOREIGN KEY (function, canary_version) REFERENCES versions (name, version)
) STRICT, WITHOUT ROWID;

ALTER TABLE functions ADD COLUMN alias_changes INTEGER NOT NULL DEFAULT 0;
UPDATE functions SET alias_changes = 1;

INSERT INTO aliases (function, alias, version, version_before, revision, changed_at_ms)
  SELECT f.name, 'live', f.live_version,
    (SELECT max(b.version) FROM versions b WHERE b.name = f.name AND b.version < f.live_version),
    1, v.created_at_ms
  FROM functions f JOIN versions v ON v.name = f.name AND v.version = f.live_version;

ALTER TABLE functions DROP COLUMN live_version;
