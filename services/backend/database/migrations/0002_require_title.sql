-- The service refuses such notes already; this holds for whoever else writes here.
ALTER TABLE notes ADD CONSTRAINT notes_title_not_empty CHECK (title <> '');
