-- Asynchronous calls. The request is the event of a delivery, as long as there is one; what is here is what
-- whoever sent it may ask for.

CREATE TABLE invocations (
  -- A random UUID.
  id TEXT PRIMARY KEY,
  function TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  -- Null once it was answered, or the delivery was dropped.
  delivery INTEGER REFERENCES deliveries (id) ON DELETE SET NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  -- How long what came of it is kept.
  keep_ms INTEGER NOT NULL,
  finished_at_ms INTEGER,
  expires_at_ms INTEGER,
  -- Of the answer: status and headers.
  answer_json TEXT,
  answer BLOB,
  fault_json TEXT
) STRICT;

CREATE UNIQUE INDEX invocations_by_delivery ON invocations (delivery) WHERE delivery IS NOT NULL;
CREATE INDEX invocations_by_expiry ON invocations (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
CREATE INDEX invocations_by_function ON invocations (function, created_at_ms);
