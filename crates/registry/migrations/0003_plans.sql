-- Plans of transition, with every version they had, and their threads.

INSERT INTO sequences (name, value) VALUES ('plan', 300000), ('plan_comment', 0);

-- `body` is the whole plan; the columns beside it are what lists filter by. `dataset` may not be registered yet.
-- `due`: the day its next open step is due; after every day: none is, or the plan is closed.
CREATE TABLE plans (
  id BIGINT PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  provider TEXT NOT NULL REFERENCES institutions (registration_number),
  dataset TEXT,
  stage TEXT NOT NULL,
  due TEXT NOT NULL,
  body TEXT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX plans_due ON plans (due, id);
CREATE INDEX plans_provider ON plans (provider, due, id);
CREATE INDEX plans_dataset ON plans (dataset, due, id);

CREATE TABLE plan_recipients (
  plan BIGINT NOT NULL REFERENCES plans (id),
  institution TEXT NOT NULL REFERENCES institutions (registration_number),
  PRIMARY KEY (plan, institution)
);
CREATE INDEX plan_recipients_institution ON plan_recipients (institution, plan);

-- One row for each version, the first included: what happened, and the plan after it.
CREATE TABLE plan_events (
  plan BIGINT NOT NULL REFERENCES plans (id),
  number BIGINT NOT NULL,
  at BIGINT NOT NULL,
  person BIGINT NOT NULL REFERENCES people (id),
  institution TEXT NOT NULL,
  role TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  after_json TEXT NOT NULL,
  PRIMARY KEY (plan, number)
);

CREATE TABLE plan_comments (
  id BIGINT PRIMARY KEY,
  plan BIGINT NOT NULL REFERENCES plans (id),
  at BIGINT NOT NULL,
  person BIGINT NOT NULL REFERENCES people (id),
  institution TEXT NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX plan_comments_plan ON plan_comments (plan, id);
