-- What a fresh instance costs, measured at the deploy, in microseconds: made anew, and set back to its
-- image. Both null for versions from before; the second also where an instance cannot be set back.

ALTER TABLE versions ADD COLUMN new_us REAL;
ALTER TABLE versions ADD COLUMN reset_us REAL;
