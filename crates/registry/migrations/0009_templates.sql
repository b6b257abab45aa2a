-- Templates of applications, and what a provider decided beforehand for a data set. Versions are rows; none is ever changed.
INSERT INTO sequences (name, value) VALUES ('template', 0);

-- `state`: active, retired.
CREATE TABLE templates (
  id BIGINT PRIMARY KEY,
  dataset TEXT NOT NULL REFERENCES datasets (name),
  state TEXT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX templates_dataset ON templates (dataset, id);

CREATE TABLE template_versions (
  template BIGINT NOT NULL REFERENCES templates (id),
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (template, version)
);

CREATE TABLE dataset_rules (
  dataset TEXT NOT NULL REFERENCES datasets (name),
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (dataset, version)
);

-- Permissions to a sandbox that a provider's rule gave, without a decision of their own.
CREATE TABLE test_access (
  permission BIGINT PRIMARY KEY REFERENCES permissions (id),
  application BIGINT NOT NULL REFERENCES applications (id),
  dataset TEXT NOT NULL REFERENCES datasets (name),
  rule BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX test_access_application ON test_access (application);
CREATE INDEX test_access_dataset ON test_access (dataset);
