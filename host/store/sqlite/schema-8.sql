-- Replication slots of PostgreSQL databases. A row is there before its slot is made, and until that is dropped.

CREATE TABLE replications (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- Null: its slot is being made, or is to be dropped.
  trigger INTEGER UNIQUE REFERENCES triggers (id) ON DELETE SET NULL,
  slot TEXT NOT NULL UNIQUE,
  -- Host, port and name, without user and password.
  database TEXT NOT NULL,
  -- Sealed with the host's secret key.
  url BLOB NOT NULL,
  -- Of the change that was stored last: cluster, place in its log, number in its transaction.
  system TEXT,
  lsn TEXT,
  change INTEGER
) STRICT;
