-- Triggers, events, and their deliveries to functions. A delivery is one row from its publication to its
-- end; the event is shared by all deliveries of it and goes with the last.

CREATE TABLE triggers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  function TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  -- What it listens to: a topic.
  source TEXT NOT NULL,
  settings_json TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  -- Of schedules: up to where instants have been acted on.
  seen_ms INTEGER NOT NULL,
  UNIQUE (function, name)
) STRICT;

CREATE INDEX triggers_by_source ON triggers (kind, source);

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  attributes_json TEXT NOT NULL,
  data BLOB NOT NULL,
  -- SHA-256 of both: SQLite does not notice flipped bits.
  digest BLOB NOT NULL,
  depth INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  -- How many deliveries there are still.
  deliveries INTEGER NOT NULL
) STRICT;

CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event INTEGER NOT NULL REFERENCES events (id),
  function TEXT NOT NULL,
  -- By name: the trigger may be gone.
  trigger TEXT NOT NULL,
  order_key TEXT,
  state TEXT NOT NULL,
  due_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  fault_json TEXT
) STRICT;

CREATE INDEX deliveries_due ON deliveries (function, trigger, state, due_at_ms);
CREATE INDEX deliveries_in_order ON deliveries (function, trigger, order_key, id) WHERE order_key IS NOT NULL;
CREATE INDEX deliveries_by_state ON deliveries (state, id);
