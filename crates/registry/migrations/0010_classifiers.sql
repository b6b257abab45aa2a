-- Published lists of codes, as `code(LIST)` of a definition names them.
CREATE TABLE classifiers (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  title_en TEXT,
  description TEXT,
  keeper TEXT NOT NULL REFERENCES institutions (registration_number),
  url TEXT,
  version BIGINT NOT NULL
);

-- One row a version; none is ever changed. `body`: its codes, always read whole.
CREATE TABLE classifier_versions (
  classifier TEXT NOT NULL REFERENCES classifiers (id),
  number BIGINT NOT NULL,
  valid_from TEXT NOT NULL,
  codes BIGINT NOT NULL,
  body TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  published_at BIGINT NOT NULL,
  PRIMARY KEY (classifier, number)
);
