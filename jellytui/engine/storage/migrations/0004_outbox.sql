-- Every play, oldest first by played_at: the history, and what the server does not know yet.
CREATE TABLE plays (
    play_id         TEXT PRIMARY KEY,
    track_id        TEXT NOT NULL,
    started_at      TEXT NOT NULL,
    played_at       TEXT NOT NULL,
    reported        INTEGER NOT NULL,
    -- What the server knew of the track before this play was sent, written before it is sent: after a crash or a
    -- lost answer it tells whether the play arrived (jellyfin-api.md 11.3).
    count_before    INTEGER,
    played_before   TEXT
);

CREATE INDEX idx_plays_unreported ON plays(played_at) WHERE reported = 0;
CREATE INDEX idx_plays_track ON plays(track_id, played_at);

-- The last word on each item. A wish that was sent stays until a sync has asked the server after it, so that an older
-- list of favourites cannot undo it.
CREATE TABLE favorite_wishes (
    item_id         TEXT PRIMARY KEY,
    is_favorite     INTEGER NOT NULL,
    number          INTEGER NOT NULL,  -- grows with each wish: tells a newer one from the one that was sent
    is_sent         INTEGER NOT NULL
) WITHOUT ROWID;
