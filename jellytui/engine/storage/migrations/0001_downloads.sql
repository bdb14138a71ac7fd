-- The seed's table and index, columns by their names and in their order; what follows is ours.
CREATE TABLE downloads (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    item_id         TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    file_path       TEXT,
    file_size       INTEGER,
    mime_type       TEXT,
    status          TEXT DEFAULT 'pending',  -- pending, downloading, completed, failed, paused
    progress        REAL DEFAULT 0.0,
    bytes_downloaded INTEGER DEFAULT 0,
    priority        INTEGER DEFAULT 0,
    error_message   TEXT,
    retry_count     INTEGER DEFAULT 0,
    queued_at       TEXT DEFAULT CURRENT_TIMESTAMP,
    started_at      TEXT,
    completed_at    TEXT,

    -- The track as it was when queued: the row outlives the mirror's.
    name            TEXT NOT NULL DEFAULT '',
    album           TEXT NOT NULL DEFAULT '',
    artists         TEXT NOT NULL DEFAULT '[]',  -- JSON array of names
    album_id        TEXT NOT NULL DEFAULT '',
    album_artist    TEXT NOT NULL DEFAULT '',
    disc            INTEGER,
    number          INTEGER,
    year            INTEGER,
    duration_ms     INTEGER NOT NULL DEFAULT 0,
    container       TEXT NOT NULL DEFAULT '',
    image_item_id   TEXT NOT NULL DEFAULT '',
    image_tag       TEXT NOT NULL DEFAULT '',

    -- Who asked first; who still wants it stands in `wants`.
    origin          TEXT NOT NULL DEFAULT 'user' CHECK (origin IN ('user', 'stream', 'queue', 'album')),

    -- What the server said of the file: in the item (last scan), and with the body that is in the `.part`.
    expected_size   INTEGER,
    source_etag     TEXT,
    track_etag      TEXT,  -- the library's, when the file was last known to be the server's
    etag            TEXT,
    last_modified   TEXT,
    gone_on_server  INTEGER NOT NULL DEFAULT 0,

    -- The running attempt: each claim raises `generation`, and an update of an older one changes nothing.
    generation      INTEGER NOT NULL DEFAULT 0,
    durable_bytes   INTEGER NOT NULL DEFAULT 0,  -- flushed to the medium in the boot named by boot_id
    boot_id         TEXT,
    furthest_bytes  INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TEXT,
    wait_reason     TEXT,
    is_unmetered_only INTEGER NOT NULL DEFAULT 1,  -- 0: "download anyway"

    -- LRU by a sequence that only grows, not by the clock.
    last_access     INTEGER NOT NULL DEFAULT 0,
    cleared_at      TEXT,

    CHECK (status IN ('pending', 'downloading', 'completed', 'failed', 'paused')),
    UNIQUE (user_id, item_id)
);

CREATE INDEX idx_downloads_queue
  ON downloads(status, priority DESC, queued_at ASC)
  WHERE status IN ('pending', 'downloading');

CREATE INDEX idx_downloads_item ON downloads(item_id, status);
CREATE INDEX idx_downloads_album ON downloads(album_id, status);
CREATE INDEX idx_downloads_status ON downloads(status);
CREATE INDEX idx_downloads_completed ON downloads(completed_at) WHERE status = 'completed';
CREATE UNIQUE INDEX idx_downloads_file_path ON downloads(file_path) WHERE file_path IS NOT NULL;

-- Who wants a file: user, favorites, playlist:<id>, stream, queue, album. It stays while anyone does.
CREATE TABLE wants (
    download_id     INTEGER NOT NULL REFERENCES downloads(id) ON DELETE CASCADE,
    wanted_by       TEXT NOT NULL,
    PRIMARY KEY (download_id, wanted_by)
) WITHOUT ROWID;

CREATE INDEX idx_wants_wanted_by ON wants(wanted_by);

-- The playlists and the favourites that downloads follow at each sync.
CREATE TABLE followed (
    wanted_by       TEXT PRIMARY KEY,
    since           TEXT NOT NULL
) WITHOUT ROWID;

-- What a followed list held at its last sync: only what is new in it comes down, so that a deleted track stays deleted.
CREATE TABLE followed_tracks (
    wanted_by       TEXT NOT NULL REFERENCES followed(wanted_by) ON DELETE CASCADE,
    item_id         TEXT NOT NULL,
    PRIMARY KEY (wanted_by, item_id)
) WITHOUT ROWID;

-- What the cache removed, so that it is not fetched again for a day.
CREATE TABLE evictions (
    item_id         TEXT PRIMARY KEY,
    evicted_at      TEXT NOT NULL
) WITHOUT ROWID;

-- Which tracks of an album were really played (album affinity).
CREATE TABLE album_plays (
    album_id        TEXT NOT NULL,
    item_id         TEXT NOT NULL,
    played_at       TEXT NOT NULL,
    PRIMARY KEY (album_id, item_id)
) WITHOUT ROWID;

-- The queue's own few facts: paused_all, root, access_sequence, …
CREATE TABLE downloads_state (
    name            TEXT PRIMARY KEY,
    value           TEXT NOT NULL
) WITHOUT ROWID;
