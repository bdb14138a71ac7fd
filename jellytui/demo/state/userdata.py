"""Favourites, play counts and ratings, and what each action does to them (jellyfin-api.md 11.2, 11.3, 14)."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from jellytui.demo.library import DemoArtist, DemoItem, DemoTrack
from jellytui.demo.sources.names import dashed, user_data_key
from jellytui.demo.state.store import Store
from jellytui.demo.wire.replies import date, present, whole

_SHORT_TRACK_TICKS = 3_000_000_000  # 300 s


@dataclass(slots=True)
class UserData:
    """One user's data of one item."""

    position_ticks: int = 0
    play_count: int = 0
    favorite: bool = False
    played: bool = False
    last_played: datetime | None = None
    rating: float | None = None

    @property
    def likes(self) -> bool | None:
        """The rating as a thumb: 6.5 and more is up."""
        return None if self.rating is None else self.rating >= 6.5


class UserDataStore:
    """The data of all users."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: dict[tuple[str, str], UserData] = {}
        for key, value in store.items("user_data"):
            user_id, _, item_id = key.partition(":")
            if value.get("last_played"):
                value["last_played"] = datetime.fromisoformat(value["last_played"])
            self._rows[user_id, item_id] = UserData(**value)

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, user_id: str, item_id: str) -> UserData:
        """The data, all defaults when there is none."""
        return self._rows.get((user_id, item_id)) or UserData()

    def has(self, user_id: str, item_id: str) -> bool:
        """Whether anything was ever saved for the item."""
        return (user_id, item_id) in self._rows

    def saved_ids(self, user_id: str) -> list[str]:
        """The items for which anything was ever saved."""
        return [item_id for owner, item_id in self._rows if owner == user_id]

    def change(self, user_id: str, item_id: str, **values: Any) -> UserData:
        """Sets members of UserData and saves them."""
        row = self._rows.setdefault((user_id, item_id), UserData())
        for name, value in values.items():
            setattr(row, name, value)
        saved = asdict(row) | {"last_played": row.last_played.isoformat() if row.last_played else None}
        self._store.put("user_data", f"{user_id}:{item_id}", saved)
        return row

    def forget(self, user_id: str, item_id: str) -> None:
        """Removes the data of an item, as if nothing had ever been saved."""
        if self._rows.pop((user_id, item_id), None) is not None:
            self._store.remove("user_data", f"{user_id}:{item_id}")

    def started(self, user_id: str, item_id: str, now: datetime) -> None:
        """A start counts at once (11.2)."""
        row = self.get(user_id, item_id)
        self.change(user_id, item_id, play_count=row.play_count + 1, last_played=now, played=True)

    def stopped(self, user_id: str, item_id: str, position: int | None, length: int | None, *, started: bool) -> None:
        """A stop: without a position it counts again; without a start it may mark as played, no more (11.2)."""
        row = self.get(user_id, item_id)
        if position is None:
            self.change(user_id, item_id, play_count=row.play_count + 1, played=True, position_ticks=0)
        elif started:
            self.change(user_id, item_id, position_ticks=0)
        else:
            self.reached(user_id, item_id, position, length)

    def reached(self, user_id: str, item_id: str, position: int, length: int | None) -> None:
        """A position reported without a start: past 90 %, or 5 % of a short track, it is played (11.2)."""
        share = 0.05 if (length or 0) < _SHORT_TRACK_TICKS else 0.9
        played = self.get(user_id, item_id).played or bool(length and position >= share * length)
        self.change(user_id, item_id, position_ticks=0, played=played)

    def mark_played(self, user_id: str, item_ids: Iterable[str], played_at: datetime | None, now: datetime) -> None:
        """Marks as played; with a date it counts one more (11.3)."""
        for item_id in item_ids:
            row = self.get(user_id, item_id)
            count = row.play_count + 1 if played_at else max(1, row.play_count)
            last = played_at or row.last_played or now
            self.change(user_id, item_id, play_count=count, last_played=last, played=True)

    def mark_unplayed(self, user_id: str, item_ids: Iterable[str]) -> None:
        """Clears played, count and date; favourite and rating stay (11.3)."""
        for item_id in item_ids:
            self.change(user_id, item_id, play_count=0, last_played=None, played=False, position_ticks=0)

    def dto(self, user_id: str, item: DemoItem, *, as_saved: bool = False) -> dict[str, Any]:
        """UserItemDataDto. Its key changes with the first save, but not in the answer to the save itself (6.1)."""
        row = self.get(user_id, item.id)
        by_id = self.has(user_id, item.id) and not as_saved and not isinstance(item, DemoArtist)
        key = dashed(item.id) if by_id else user_data_key(item)
        length = item.run_time_ticks if isinstance(item, DemoTrack) else None
        return present(
            Rating=None if row.rating is None else whole(row.rating),
            PlayedPercentage=row.position_ticks * 100 / length if row.position_ticks and length else None,
            PlaybackPositionTicks=row.position_ticks,
            PlayCount=row.play_count,
            IsFavorite=row.favorite,
            Likes=row.likes,
            LastPlayedDate=date(row.last_played),
            Played=row.played,
            Key=key,
            ItemId=item.id,
        )
