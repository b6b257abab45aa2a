-- What is registered beside data sets: what information systems are for, the law, classifiers.

-- One row a version; none is ever changed. `body`: the statutory facts.
CREATE TABLE system_facts (
  system TEXT NOT NULL REFERENCES systems (code),
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (system, version)
);
