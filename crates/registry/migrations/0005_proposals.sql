-- What one person proposes and an operator, somebody else, confirms: whatever lets a system in.

INSERT INTO sequences (name, value) VALUES ('proposal', 0);

-- `state`: proposed, confirmed, rejected. `body` is what would be made.
CREATE TABLE proposals (
  id BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  institution TEXT NOT NULL REFERENCES institutions (registration_number),
  client_id TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_at BIGINT NOT NULL,
  decided_by TEXT,
  decided_at BIGINT,
  reason TEXT
);
CREATE INDEX proposals_state ON proposals (state, id);
CREATE INDEX proposals_institution ON proposals (institution, id);
