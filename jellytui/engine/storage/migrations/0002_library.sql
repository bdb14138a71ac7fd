-- The mirror of the server's music. A row id stays as long as its item; `body` is the item as JSON (models.py) without
-- what other columns and tables know. `sort_key` and `words` are folded (library/search.py): for order and for search.
CREATE TABLE artists (
    row_id          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    sort_key        TEXT NOT NULL,
    words           TEXT NOT NULL,
    body            BLOB NOT NULL
);

CREATE INDEX idx_artists_sort ON artists(sort_key);

CREATE TABLE albums (
    row_id          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    artist_id       TEXT NOT NULL,  -- the first of its artists; its tracks are ordered by him
    year            INTEGER,
    sort_key        TEXT NOT NULL,
    words           TEXT NOT NULL,
    body            BLOB NOT NULL
);

CREATE INDEX idx_albums_sort ON albums(sort_key);

-- A track's sort_key holds artist, album, disc, number and name, so that one index gives every order.
CREATE TABLE tracks (
    row_id          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    library_id      TEXT NOT NULL,
    album_id        TEXT NOT NULL,
    duration_ms     INTEGER NOT NULL,
    play_count      INTEGER NOT NULL,
    last_played_at  TEXT,
    credits         TEXT NOT NULL,  -- JSON array of the artist ids under which it is found
    sort_key        TEXT NOT NULL,
    words           TEXT NOT NULL,
    body            BLOB NOT NULL
);

CREATE INDEX idx_tracks_sort ON tracks(sort_key);
CREATE INDEX idx_tracks_album ON tracks(album_id, sort_key);
CREATE INDEX idx_tracks_library ON tracks(library_id);

-- Whose track it is: those who play on it, and its album's artists.
CREATE TABLE track_artists (
    artist_id       TEXT NOT NULL,
    album_id        TEXT NOT NULL,
    track_row_id    INTEGER NOT NULL REFERENCES tracks(row_id) ON DELETE CASCADE,
    PRIMARY KEY (artist_id, album_id, track_row_id)
) WITHOUT ROWID;

CREATE INDEX idx_track_artists_track ON track_artists(track_row_id);

CREATE TABLE playlists (
    row_id          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    sort_key        TEXT NOT NULL,
    words           TEXT NOT NULL,
    body            BLOB NOT NULL
);

CREATE INDEX idx_playlists_sort ON playlists(sort_key);

-- In their order, a track as often as it is in the list; an entry may name a track that the mirror does not hold.
CREATE TABLE playlist_entries (
    playlist_id     TEXT NOT NULL REFERENCES playlists(id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    entry_id        TEXT NOT NULL,
    track_id        TEXT NOT NULL,
    PRIMARY KEY (playlist_id, position)
) WITHOUT ROWID;

CREATE INDEX idx_playlist_entries_track ON playlist_entries(track_id);

-- Tracks, albums, artists and playlists alike: membership is the truth (jellyfin-api.md 5.6).
CREATE TABLE favorites (
    item_id         TEXT PRIMARY KEY
) WITHOUT ROWID;

-- Search as you type (textual.md 3.5): no positions kept, so words only, never phrases.
CREATE VIRTUAL TABLE artist_words USING fts5(
    words, content = 'artists', content_rowid = 'row_id', prefix = '1 2 3', detail = none,
    tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE album_words USING fts5(
    words, content = 'albums', content_rowid = 'row_id', prefix = '1 2 3', detail = none,
    tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE track_words USING fts5(
    words, content = 'tracks', content_rowid = 'row_id', prefix = '1 2 3', detail = none,
    tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TRIGGER artists_inserted AFTER INSERT ON artists BEGIN
    INSERT INTO artist_words(rowid, words) VALUES (new.row_id, new.words);
END;
CREATE TRIGGER artists_deleted AFTER DELETE ON artists BEGIN
    INSERT INTO artist_words(artist_words, rowid, words) VALUES ('delete', old.row_id, old.words);
END;
CREATE TRIGGER artists_updated AFTER UPDATE OF words ON artists WHEN old.words <> new.words BEGIN
    INSERT INTO artist_words(artist_words, rowid, words) VALUES ('delete', old.row_id, old.words);
    INSERT INTO artist_words(rowid, words) VALUES (new.row_id, new.words);
END;

CREATE TRIGGER albums_inserted AFTER INSERT ON albums BEGIN
    INSERT INTO album_words(rowid, words) VALUES (new.row_id, new.words);
END;
CREATE TRIGGER albums_deleted AFTER DELETE ON albums BEGIN
    INSERT INTO album_words(album_words, rowid, words) VALUES ('delete', old.row_id, old.words);
END;
CREATE TRIGGER albums_updated AFTER UPDATE OF words ON albums WHEN old.words <> new.words BEGIN
    INSERT INTO album_words(album_words, rowid, words) VALUES ('delete', old.row_id, old.words);
    INSERT INTO album_words(rowid, words) VALUES (new.row_id, new.words);
END;

CREATE TRIGGER tracks_inserted AFTER INSERT ON tracks BEGIN
    INSERT INTO track_words(rowid, words) VALUES (new.row_id, new.words);
END;
CREATE TRIGGER tracks_deleted AFTER DELETE ON tracks BEGIN
    INSERT INTO track_words(track_words, rowid, words) VALUES ('delete', old.row_id, old.words);
END;
CREATE TRIGGER tracks_updated AFTER UPDATE OF words ON tracks WHEN old.words <> new.words BEGIN
    INSERT INTO track_words(track_words, rowid, words) VALUES ('delete', old.row_id, old.words);
    INSERT INTO track_words(rowid, words) VALUES (new.row_id, new.words);
END;

-- The sync's own few facts: version, finished_at, full_at, watermark, …
CREATE TABLE sync_state (
    name            TEXT PRIMARY KEY,
    value           TEXT NOT NULL
) WITHOUT ROWID;

-- How far the listings of an unfinished full sync are read; the next one goes on there.
CREATE TABLE sync_listings (
    library_id      TEXT NOT NULL,
    kind            TEXT NOT NULL,
    next_index      INTEGER NOT NULL,
    total           INTEGER NOT NULL,
    is_done         INTEGER NOT NULL,
    PRIMARY KEY (library_id, kind)
) WITHOUT ROWID;

-- The tracks that the unfinished full sync has met: what is not among them at its end is gone from the server.
CREATE TABLE sync_seen (
    library_id      TEXT NOT NULL,
    track_id        TEXT NOT NULL,
    PRIMARY KEY (library_id, track_id)
) WITHOUT ROWID;

-- Words of tracks, also that there are none; asked again when the track's etag changes.
CREATE TABLE lyrics (
    item_id         TEXT PRIMARY KEY,
    etag            TEXT NOT NULL,
    body            BLOB NOT NULL
) WITHOUT ROWID;
