-- Times are microseconds since 1970-01-01 UTC; *_json columns and `body` hold JSON text.
-- `version` grows with every change of its row and stands behind the row's ETag.

CREATE TABLE sequences (
  name TEXT PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO sequences (name, value) VALUES ('audit', 0), ('permission', 100000), ('job', 0), ('notice', 0);

CREATE TABLE institutions (
  registration_number TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT,
  version BIGINT NOT NULL
);

CREATE TABLE systems (
  code TEXT PRIMARY KEY,
  institution TEXT NOT NULL REFERENCES institutions (registration_number),
  name TEXT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX systems_institution ON systems (institution);

CREATE TABLE connections (
  client_id TEXT PRIMARY KEY,
  system TEXT NOT NULL REFERENCES systems (code),
  kind TEXT NOT NULL,
  token_lifetime_s BIGINT NOT NULL,
  description TEXT,
  state TEXT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX connections_system ON connections (system);

CREATE TABLE certificates (
  client_id TEXT NOT NULL REFERENCES connections (client_id),
  sha256 TEXT NOT NULL,
  pem TEXT NOT NULL,
  not_before BIGINT NOT NULL,
  not_after BIGINT NOT NULL,
  subject TEXT NOT NULL,
  PRIMARY KEY (client_id, sha256)
);

CREATE TABLE datasets (
  name TEXT PRIMARY KEY,
  institution TEXT NOT NULL REFERENCES institutions (registration_number),
  replaces TEXT REFERENCES datasets (name),
  sandbox_number BIGINT,
  sandbox_epoch BIGINT NOT NULL,
  main_number BIGINT,
  main_epoch BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX datasets_institution ON datasets (institution);
CREATE INDEX datasets_replaces ON datasets (replaces);

-- Every text ever set. `epoch` is the one it was set in; the present one stands in `datasets`.
CREATE TABLE definitions (
  dataset TEXT NOT NULL REFERENCES datasets (name),
  section TEXT NOT NULL,
  number BIGINT NOT NULL,
  body TEXT NOT NULL,
  leaf_ids_json TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (dataset, section, number)
);

-- `body` is the whole permission; the columns beside it are what lists filter by.
CREATE TABLE permissions (
  id BIGINT PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  dataset TEXT NOT NULL REFERENCES datasets (name),
  recipient TEXT NOT NULL REFERENCES institutions (registration_number),
  environment TEXT NOT NULL,
  state TEXT NOT NULL,
  body TEXT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX permissions_dataset ON permissions (dataset, id);
CREATE INDEX permissions_recipient ON permissions (recipient, id);

-- One row for each version, the first included.
CREATE TABLE permission_revisions (
  permission BIGINT NOT NULL REFERENCES permissions (id),
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  reason TEXT,
  actor TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (permission, version)
);

CREATE TABLE audit (
  id BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  request_id TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  before_json TEXT,
  after_json TEXT
);
CREATE INDEX audit_object ON audit (object, id);

CREATE TABLE used_assertions (
  client_id TEXT NOT NULL,
  jti TEXT NOT NULL,
  until BIGINT NOT NULL,
  PRIMARY KEY (client_id, jti)
);
CREATE INDEX used_assertions_until ON used_assertions (until);

CREATE TABLE jobs (
  id BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  dataset TEXT,
  state TEXT NOT NULL,
  detail_json TEXT NOT NULL,
  started BIGINT NOT NULL,
  ended BIGINT
);

CREATE TABLE notices (
  id BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  dataset TEXT NOT NULL,
  permission TEXT,
  kind TEXT NOT NULL,
  detail_json TEXT NOT NULL
);
CREATE INDEX notices_dataset ON notices (dataset, id);

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  version BIGINT NOT NULL
);
