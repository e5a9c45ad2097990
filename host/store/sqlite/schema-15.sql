-- Namespaces, and what is kept in each: names outside of `default` are NAME.NAMESPACE. The bytes are counted by
-- triggers, so that no change passes them by.

CREATE TABLE namespaces (
  name TEXT PRIMARY KEY,
  quotas_json TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE namespace_bytes (
  namespace TEXT PRIMARY KEY,
  kv INTEGER NOT NULL DEFAULT 0,
  blobs INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO namespace_bytes (namespace, kv, blobs) VALUES (
  'default',
  (SELECT coalesce(sum(length(key) + length(value)), 0) FROM kv),
  (SELECT coalesce(sum(length(key) + bytes), 0) FROM blobs)
);

CREATE TRIGGER kv_added AFTER INSERT ON kv BEGIN
  INSERT INTO namespace_bytes (namespace, kv) VALUES (
    iif(instr(NEW.store, '.') = 0, 'default', substr(NEW.store, instr(NEW.store, '.') + 1)),
    length(NEW.key) + length(NEW.value)
  ) ON CONFLICT (namespace) DO UPDATE SET kv = kv + excluded.kv;
END;

CREATE TRIGGER kv_changed AFTER UPDATE OF value ON kv BEGIN
  UPDATE namespace_bytes SET kv = kv + length(NEW.value) - length(OLD.value)
  WHERE namespace = iif(instr(NEW.store, '.') = 0, 'default', substr(NEW.store, instr(NEW.store, '.') + 1));
END;

CREATE TRIGGER kv_removed AFTER DELETE ON kv BEGIN
  UPDATE namespace_bytes SET kv = kv - length(OLD.key) - length(OLD.value)
  WHERE namespace = iif(instr(OLD.store, '.') = 0, 'default', substr(OLD.store, instr(OLD.store, '.') + 1));
END;

CREATE TRIGGER blob_added AFTER INSERT ON blobs BEGIN
  INSERT INTO namespace_bytes (namespace, blobs) VALUES (
    iif(instr(NEW.bucket, '.') = 0, 'default', substr(NEW.bucket, instr(NEW.bucket, '.') + 1)),
    length(NEW.key) + NEW.bytes
  ) ON CONFLICT (namespace) DO UPDATE SET blobs = blobs + excluded.blobs;
END;

CREATE TRIGGER blob_changed AFTER UPDATE OF bytes ON blobs BEGIN
  UPDATE namespace_bytes SET blobs = blobs + NEW.bytes - OLD.bytes
  WHERE namespace = iif(instr(NEW.bucket, '.') = 0, 'default', substr(NEW.bucket, instr(NEW.bucket, '.') + 1));
END;

CREATE TRIGGER blob_removed AFTER DELETE ON blobs BEGIN
  UPDATE namespace_bytes SET blobs = blobs - length(OLD.key) - OLD.bytes
  WHERE namespace = iif(instr(OLD.bucket, '.') = 0, 'default', substr(OLD.bucket, instr(OLD.bucket, '.') + 1));
END;
