-- Whether a version runs metered. 0 only for modules that a host with --allow-unmetered has taken.

ALTER TABLE versions ADD COLUMN metered INTEGER NOT NULL DEFAULT 1;
