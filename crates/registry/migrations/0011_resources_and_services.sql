-- What an information system holds, and other people's interfaces. One row a version; none is ever changed.
-- `body`: the description. A code stays with its system.
CREATE TABLE resources (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  system TEXT NOT NULL REFERENCES systems (code),
  body TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (code, version)
);
CREATE INDEX resources_of ON resources (system, code);

CREATE TABLE services (
  code TEXT NOT NULL,
  version BIGINT NOT NULL,
  system TEXT NOT NULL REFERENCES systems (code),
  body TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (code, version)
);
CREATE INDEX services_of ON services (system, code);
