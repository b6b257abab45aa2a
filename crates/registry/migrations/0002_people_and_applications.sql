-- People, their roles and sessions; applications with every version they had; notifications.

INSERT INTO sequences (name, value) VALUES
  ('person', 0), ('role', 0), ('application', 200000), ('comment', 0), ('notification', 0);

CREATE TABLE people (
  id BIGINT PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  version BIGINT NOT NULL
);

-- A role that was ended stays, with its end. `state`: proposed, active, ended.
CREATE TABLE roles (
  id BIGINT PRIMARY KEY,
  person BIGINT NOT NULL REFERENCES people (id),
  institution TEXT NOT NULL REFERENCES institutions (registration_number),
  role TEXT NOT NULL,
  state TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  valid_from BIGINT,
  valid_to BIGINT
);
CREATE INDEX roles_person ON roles (person, id);
CREATE INDEX roles_institution ON roles (institution, id);
-- At most one that is not ended.
CREATE UNIQUE INDEX roles_held ON roles (person, institution, role) WHERE state <> 'ended';

-- `hash` is the SHA-256 of the token, hex: the token itself is nowhere.
CREATE TABLE sessions (
  hash TEXT PRIMARY KEY,
  person BIGINT NOT NULL REFERENCES people (id),
  institution TEXT REFERENCES institutions (registration_number),
  created BIGINT NOT NULL,
  last_used BIGINT NOT NULL,
  signed_in_by TEXT NOT NULL
);
CREATE INDEX sessions_last_used ON sessions (last_used);

-- `body` is the whole application; the columns beside it are what lists filter by. No provider: the operator decides.
CREATE TABLE applications (
  id BIGINT PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  dataset TEXT REFERENCES datasets (name),
  applicant TEXT NOT NULL REFERENCES institutions (registration_number),
  provider TEXT REFERENCES institutions (registration_number),
  stage TEXT NOT NULL,
  due TEXT,
  body TEXT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX applications_applicant ON applications (applicant, id);
CREATE INDEX applications_applicant_stage ON applications (applicant, stage, id);
CREATE INDEX applications_provider ON applications (provider, id);
CREATE INDEX applications_provider_stage ON applications (provider, stage, id);
CREATE INDEX applications_stage ON applications (stage, id);
CREATE INDEX applications_provider_due ON applications (provider, due, id) WHERE due IS NOT NULL;
CREATE INDEX applications_due ON applications (due, id) WHERE due IS NOT NULL;

-- One row for each version, the first included: what happened, and the application after it.
CREATE TABLE application_events (
  application BIGINT NOT NULL REFERENCES applications (id),
  number BIGINT NOT NULL,
  at BIGINT NOT NULL,
  person BIGINT NOT NULL REFERENCES people (id),
  institution TEXT NOT NULL,
  role TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  after_json TEXT NOT NULL,
  sealed_json TEXT,
  seal TEXT,
  PRIMARY KEY (application, number)
);

CREATE TABLE application_permissions (
  application BIGINT NOT NULL REFERENCES applications (id),
  permission BIGINT NOT NULL REFERENCES permissions (id),
  PRIMARY KEY (application, permission)
);
CREATE INDEX application_permissions_permission ON application_permissions (permission);

CREATE TABLE application_comments (
  id BIGINT PRIMARY KEY,
  application BIGINT NOT NULL REFERENCES applications (id),
  at BIGINT NOT NULL,
  person BIGINT NOT NULL REFERENCES people (id),
  institution TEXT NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX application_comments_application ON application_comments (application, id);

-- To an institution or to a person. `once` keeps a reminder from being told twice.
CREATE TABLE notifications (
  id BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  institution TEXT,
  person BIGINT REFERENCES people (id),
  kind TEXT NOT NULL,
  object TEXT NOT NULL,
  once TEXT UNIQUE,
  read_at BIGINT,
  read_by BIGINT REFERENCES people (id)
);
CREATE INDEX notifications_institution ON notifications (institution, id);
CREATE INDEX notifications_person ON notifications (person, id);

-- What an institution may be on the platform, decided by an application.
CREATE TABLE institution_roles (
  institution TEXT NOT NULL REFERENCES institutions (registration_number),
  role TEXT NOT NULL,
  application BIGINT NOT NULL REFERENCES applications (id),
  since BIGINT NOT NULL,
  PRIMARY KEY (institution, role)
);
