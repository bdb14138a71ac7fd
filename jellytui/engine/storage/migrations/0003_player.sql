-- The queue's entries; their orders stand in `queue`, so that moving one rewrites no other.
CREATE TABLE queue_entries (
    entry_id        INTEGER PRIMARY KEY,
    track           BLOB NOT NULL  -- Track as JSON, as it was when queued
);

-- One row: the entry ids in the order of putting in and of playing, 8 bytes each, little endian.
CREATE TABLE queue (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    put_order       BLOB NOT NULL,
    play_order      BLOB NOT NULL,
    next_entry_id   INTEGER NOT NULL,
    is_shuffled     INTEGER NOT NULL
);

-- One row: what changes while music plays.
CREATE TABLE player (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    entry_id        INTEGER,  -- the current entry; no reference: it is written alone
    position_ms     INTEGER NOT NULL,
    volume          INTEGER NOT NULL,
    is_muted        INTEGER NOT NULL,
    repeat          TEXT NOT NULL CHECK (repeat IN ('off', 'all', 'one'))
);
