-- Plays whose live report of the start was sent and got no answer: the server may have counted them at started_at.
ALTER TABLE plays ADD COLUMN is_open INTEGER NOT NULL DEFAULT 0;
