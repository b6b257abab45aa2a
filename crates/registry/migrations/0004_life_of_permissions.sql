-- What permissions were used for, emergency stops of data sets, attachments of applications.

INSERT INTO sequences (name, value) VALUES ('stop', 0), ('attachment', 0);

-- How far a projection of the disclosure log has come: the entry taken last, and its time.
CREATE TABLE projections (
  name TEXT PRIMARY KEY,
  entry TEXT NOT NULL,
  at BIGINT NOT NULL
);

-- A projection of the disclosure log: no person, no key. `narrowed`: calls that gave fewer fields than permitted.
CREATE TABLE permission_days (
  permission BIGINT NOT NULL REFERENCES permissions (id),
  day TEXT NOT NULL,
  way TEXT NOT NULL,
  calls BIGINT NOT NULL,
  narrowed BIGINT NOT NULL,
  records BIGINT NOT NULL,
  misses BIGINT NOT NULL,
  PRIMARY KEY (permission, day, way)
);
CREATE INDEX permission_days_day ON permission_days (day);

-- The last day each field was given, and the last day a call that named its fields gave it.
CREATE TABLE permission_fields (
  permission BIGINT NOT NULL REFERENCES permissions (id),
  field TEXT NOT NULL,
  given TEXT NOT NULL,
  narrowed TEXT,
  PRIMARY KEY (permission, field)
);

-- A stop that was ended stays, with its end.
CREATE TABLE dataset_stops (
  id BIGINT PRIMARY KEY,
  dataset TEXT NOT NULL REFERENCES datasets (name),
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  ended BIGINT,
  ended_by TEXT,
  end_reason TEXT
);
CREATE INDEX dataset_stops_dataset ON dataset_stops (dataset, id);
CREATE UNIQUE INDEX dataset_stops_running ON dataset_stops (dataset) WHERE ended IS NULL;

-- What a stop suspended, and its end resumes: what was suspended before it stays so.
CREATE TABLE stopped_permissions (
  stop BIGINT NOT NULL REFERENCES dataset_stops (id),
  permission BIGINT NOT NULL REFERENCES permissions (id),
  PRIMARY KEY (stop, permission)
);

-- `content` is base64: one type of column on every database. Not in the row of the list, so that lists stay light.
CREATE TABLE attachment_contents (
  sha256 TEXT PRIMARY KEY,
  content TEXT NOT NULL
);
CREATE TABLE application_attachments (
  id BIGINT PRIMARY KEY,
  application BIGINT NOT NULL REFERENCES applications (id),
  at BIGINT NOT NULL,
  person BIGINT NOT NULL REFERENCES people (id),
  institution TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  sha256 TEXT NOT NULL REFERENCES attachment_contents (sha256),
  inspection_json TEXT
);
CREATE INDEX application_attachments_application ON application_attachments (application, id);
