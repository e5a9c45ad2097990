-- What calls used, by hour; runs of the host process, so that a batch is added once; and what may be missing.

CREATE TABLE usage (
  -- The hour's beginning, Unix ms.
  hour_ms INTEGER NOT NULL,
  function TEXT NOT NULL,
  version INTEGER NOT NULL,
  -- "" when the calls named the version itself.
  alias TEXT NOT NULL,
  outcome TEXT NOT NULL,
  calls INTEGER NOT NULL,
  cpu_us INTEGER NOT NULL,
  wall_us INTEGER NOT NULL,
  wait_us INTEGER NOT NULL,
  page_ms INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  host_calls INTEGER NOT NULL,
  PRIMARY KEY (hour_ms, function, version, alias, outcome)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_hours (hour_ms INTEGER PRIMARY KEY) STRICT;

CREATE TABLE usage_runs (
  run TEXT PRIMARY KEY,
  -- The last batch that was added, and when that, or the run's beginning, was.
  sequence INTEGER NOT NULL,
  stored_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_gaps (
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL
) STRICT;
