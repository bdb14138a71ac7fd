"""Words: how names are folded for order and search, and how a query becomes SQL (textual.md 3.5)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from jellytui.engine.models import ItemType

# Letters that Unicode does not take apart, so that they are found by what is on the keyboard.
_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})
# The voice marks of kana make other syllables, not accents.
_VOICE_MARKS = "\u3099\u309a"
_ARTICLES = ("the ", "a ", "an ")
_WORD = re.compile(r"[^\W_]+")
# Scripts without blanks between words: Thai to Khmer, CJK and kana, halfwidth kana.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)

TABLES: dict[ItemType, str] = {"track": "tracks", "album": "albums", "artist": "artists", "playlist": "playlists"}
_INDEXES: dict[ItemType, str] = {"track": "track_words", "album": "album_words", "artist": "artist_words"}


@dataclass(frozen=True)
class Filter:
    """A condition on rows aliased `i`, and its parameters."""

    condition: str
    parameters: dict[str, str]


def fold(text: str) -> str:
    """The text without case and accents, so that `Ólafur` and `olafur` are one."""
    if text.isascii():
        return text.lower()
    text = text.encode(errors="ignore").decode()  # a command line's broken bytes are lone surrogates
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    plain = "".join(sign for sign in apart if sign in _VOICE_MARKS or not unicodedata.combining(sign))
    return unicodedata.normalize("NFC", plain)


def name_key(name: str, sort_name: str = "") -> str:
    """Where a name stands in a list: by the server's SortName, else by the name without its article, as there."""
    if sort_name:
        return fold(sort_name)
    folded = fold(name)
    article = next((word for word in _ARTICLES if folded.startswith(word)), "")
    return folded[len(article) :] or folded


def filter_by(kind: ItemType, query: str) -> Filter | None:
    """The rows in which every word of the query begins a word; None for a query that says nothing.

    Queries in scripts without blanks, queries of signs alone and playlists (few rows) are looked for as plain text.
    """
    folded = fold(query)
    terms = folded.split()
    if not terms:
        return None
    words = _WORD.findall(folded)
    if kind in _INDEXES and words and not _UNSPACED.search(folded):
        index = _INDEXES[kind]
        match = " AND ".join(f'"{word}"*' for word in words)
        return Filter(f"i.row_id IN (SELECT rowid FROM {index} WHERE {index} MATCH :match)", {"match": match})  # noqa: S608
    parameters = {f"term{number}": term for number, term in enumerate(terms)}
    return Filter(" AND ".join(f"instr(i.words, :{name})" for name in parameters), parameters)


def best_matches(kind: ItemType, query: str) -> tuple[str, dict[str, str]] | None:
    """SQL (with `:limit` open) for the row ids that match best: names that begin with the query, then by order."""
    found = filter_by(kind, query)
    if found is None:
        return None
    sql = (
        f"SELECT i.row_id FROM {TABLES[kind]} i WHERE {found.condition} "  # noqa: S608
        "ORDER BY substr(i.words, 1, length(:start)) <> :start, i.sort_key LIMIT :limit"
    )
    return sql, {**found.parameters, "start": " ".join(fold(query).split())}
