-- Of a row whose file was replaced on the server: what the old file takes, which stays until its successor is here.
ALTER TABLE downloads ADD COLUMN replaced_size INTEGER NOT NULL DEFAULT 0;
