"""What a face may know of the engine: commands by name, events, read-only views, and signing in.

Two kinds of `Backend` exist: the engine in this process (engine/engine.py) and a proxy over the socket of the
process that holds it (remote/client.py). Neither face nor test can tell which.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from jellytui.engine.events import Event
from jellytui.engine.models import Account, DiscoveredServer, Item, ItemType, Listing, ServerInfo


class EventStream(AbstractAsyncContextManager["EventStream"], Protocol):
    """The events of a backend, states conflated by key; begins with the retained states."""

    async def batch(self) -> list[Event]:
        """All that is waiting, at least one; empty once the stream has ended."""

    def __aiter__(self) -> AsyncIterator[Event]:
        """The events one by one until the stream ends."""

    def close(self) -> None:
        """Stops listening."""


class Views(Protocol):
    """Read-only pages of the library for lists of any length (SQLite, never the network)."""

    async def row_ids(self, listing: Listing) -> array[int]:
        """The row ids of a listing in its order, as array('q'). A newer call may interrupt an older one, which then
        raises asyncio.CancelledError."""

    async def rows(self, kind: ItemType, row_ids: Sequence[int]) -> list[Item | None]:
        """The items of these row ids in their order; None where a row is gone."""

    async def item(self, kind: ItemType, item_id: str) -> Item | None:
        """One item by its Jellyfin id."""

    async def row_id(self, kind: ItemType, item_id: str) -> int | None:
        """The row id of an item, to find it in a listing."""


class Backend(Protocol):
    """One signed-in account's engine, near or far."""

    @property
    def account(self) -> Account:
        """Whose library this is."""

    @property
    def views(self) -> Views:
        """The library's pages."""

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Runs a command of the registry; returns its typed result; raises JellytuiError.

        When cancelled, one that changes something is done whole all the same.
        """

    def events(self, kinds: Iterable[type[Event]] | None = None) -> EventStream:
        """Listens to events of these kinds (all when None)."""

    async def close(self) -> None:
        """Lets go: a proxy detaches, the engine stops its parts in order. May be called twice."""


class QuickConnectRequest(Protocol):
    """A Quick Connect under way."""

    @property
    def code(self) -> str:
        """The six digits that the user enters in a client that is signed in."""

    async def wait(self) -> Account:
        """Waits for the approval, then signs in. Raises QuickConnectError when the code expires. Cancel to give up."""


class SignIn(Protocol):
    """Signing in: what a face needs before there is a Backend. A success is stored (token 0600)."""

    def last_account(self) -> Account | None:
        """Who signed in last on this machine, still signed in or not; None for nobody."""

    def discover(self) -> AsyncIterator[DiscoveredServer]:
        """Servers that answer on UDP 7359, as they answer, for about two seconds."""

    async def probe(self, address: str) -> ServerInfo:
        """Resolves a carelessly typed address to a server; raises the narrowest error that says why not."""

    async def with_password(self, server: ServerInfo, user_name: str, password: str) -> Account:
        """Signs in with name and password."""

    async def quick_connect(self, server: ServerInfo) -> QuickConnectRequest:
        """Starts a Quick Connect."""
