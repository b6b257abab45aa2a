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

-- Acts by the names people cite them under, and their articles: one row a version, none ever changed.
INSERT INTO sequences (name, value) VALUES ('law_flag', 0);
CREATE TABLE acts (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  url TEXT,
  names TEXT NOT NULL,
  version BIGINT NOT NULL
);
CREATE TABLE articles (
  act TEXT NOT NULL REFERENCES acts (id),
  number TEXT NOT NULL,
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (act, number, version)
);

-- A permission that cites an article which changed; `reviewed_at` is null until its provider has looked.
CREATE TABLE law_flags (
  id BIGINT PRIMARY KEY,
  permission BIGINT NOT NULL REFERENCES permissions (id),
  act TEXT NOT NULL REFERENCES acts (id),
  article TEXT NOT NULL,
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  reviewed_at BIGINT,
  reviewed_by TEXT,
  note TEXT,
  UNIQUE (permission, act, article, version)
);
CREATE INDEX law_flags_open ON law_flags (reviewed_at, id);
