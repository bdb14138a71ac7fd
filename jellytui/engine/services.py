"""Services: the parts of a running engine, as every command gets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jellytui.config import Settings
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock
from jellytui.engine.models import Account
from jellytui.engine.storage.database import Database
from jellytui.paths import Paths

if TYPE_CHECKING:
    from jellytui.engine.downloads.cache import SmartCache
    from jellytui.engine.downloads.manager import DownloadManager
    from jellytui.engine.downloads.network import NetworkWatch
    from jellytui.engine.downloads.ports import Catalogue
    from jellytui.engine.jellyfin.client import JellyfinClient
    from jellytui.engine.jellyfin.connection import Connection
    from jellytui.engine.library.covers import Covers
    from jellytui.engine.library.lyrics import LyricsStore
    from jellytui.engine.library.outbox import Outbox
    from jellytui.engine.library.syncing.sync import LibrarySync
    from jellytui.engine.library.views import LibraryViews
    from jellytui.engine.player.player import Player


@dataclass(frozen=True, kw_only=True)
class Services:
    """One account's engine, part by part; engine.py builds it."""

    account: Account
    paths: Paths
    settings: Settings
    bus: EventBus
    clock: Clock
    database: Database
    client: JellyfinClient
    connection: Connection
    catalogue: Catalogue
    views: LibraryViews
    sync: LibrarySync
    outbox: Outbox
    covers: Covers
    lyrics: LyricsStore
    network: NetworkWatch
    downloads: DownloadManager
    cache: SmartCache
    player: Player
