-- The institution that one is under: a ministry's agencies, a municipality's offices.
ALTER TABLE institutions ADD COLUMN parent TEXT;
