-- Notifications by e-mail: who wants them, and what is on its way.

CREATE TABLE mail_addresses (
  person BIGINT PRIMARY KEY REFERENCES people (id),
  address TEXT NOT NULL,
  language TEXT NOT NULL
);

-- One row a notification and reader. `state`: waiting, sent, given_up.
CREATE TABLE mails (
  notification BIGINT NOT NULL REFERENCES notifications (id),
  person BIGINT NOT NULL REFERENCES people (id),
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  queued_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  reason TEXT,
  PRIMARY KEY (notification, person)
);
CREATE INDEX mails_state ON mails (state, next_at);
