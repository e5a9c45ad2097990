-- Blob buckets. The bytes are in files named by their digest, which blobs may share.

CREATE TABLE blobs (
  bucket TEXT NOT NULL,
  -- UTF-8, so that keys are in the order of their bytes.
  key BLOB NOT NULL,
  -- SHA-256 in hexadecimal digits.
  digest TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  metadata_json TEXT NOT NULL,
  changed_at_ms INTEGER NOT NULL,
  PRIMARY KEY (bucket, key)
) STRICT;

CREATE INDEX blobs_by_digest ON blobs (digest);
