-- Versions of articles whose last day has passed, once each: the permissions that rest on them were flagged then.
CREATE TABLE article_ends (
  act TEXT NOT NULL,
  number TEXT NOT NULL,
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (act, number, version),
  FOREIGN KEY (act, number, version) REFERENCES articles (act, number, version)
);
