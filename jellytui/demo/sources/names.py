"""How the server makes sort names, search names and keys out of names (jellyfin-api.md 5.1, 5.2, 6.1)."""

import re
import unicodedata

from anyascii import anyascii

from jellytui.demo.library import DemoAlbum, DemoArtist, DemoItem, DemoTrack

_ARTICLES = ("the", "a", "an")
_DIGITS = re.compile(r"\d+")
_NOT_WORD = re.compile(r"[\W_]+")
_HAN = ("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH")


def folded(text: str) -> str:
    """Without accents, transliterated where the script is not Latin: 東京の夜 -> "Dong Jingno Ye", as ICU does."""
    out: list[str] = []
    for char in unicodedata.normalize("NFD", text):
        if unicodedata.combining(char):
            continue
        if char.isascii() or not char.isalnum():
            out.append(char)
            continue
        if unicodedata.name(char, "").startswith(_HAN) and out and not out[-1].endswith(" "):
            out.append(" ")
        out.append(anyascii(char))
    return "".join(out)


def without_accents(text: str) -> str:
    """Without accents only: letters such as Þ stay."""
    return unicodedata.normalize(
        "NFC", "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    )


def cleaned(text: str) -> str:
    """The name that searches and, on 12, sorts and merges compare: no accents, lower case, no punctuation; 京 stays."""
    return _NOT_WORD.sub(" ", without_accents(text).lower()).strip()


def folder_sort_name(name: str) -> str:
    """The sort name of all but tracks: lower case, folded, no leading article, numbers padded to ten digits."""
    text = folded(name).lower().strip()
    for char in ",&-{}'":
        text = text.replace(char, "")
    for char in ".+%":
        text = text.replace(char, " ")
    for word in _ARTICLES:
        text = text.removeprefix(word + " ").replace(f" {word} ", " ").removesuffix(" " + word)
    return _DIGITS.sub(lambda number: number[0].rjust(10, "0"), text.strip())


def track_sort_name(name: str, disc: int | None, index: int | None) -> str:
    """`0001 - 0002 - Name` from disc and track, each left out when missing; not folded."""
    numbers = "".join(f"{number:04d} - " for number in (disc, index) if number is not None)
    return numbers + name


def user_data_key(item: DemoItem) -> str:
    """The key of an item's user data before its first save (jellyfin-api.md 6.1: it is no key at all)."""
    if isinstance(item, DemoArtist):
        return f"Artist-{without_accents(item.name)}"
    if isinstance(item, DemoAlbum) and item.album_artists:
        return f"{item.album_artists[0]}-{item.name}"
    if isinstance(item, DemoTrack):
        disc = f"{item.disc:04d}-" if item.disc is not None else ""
        number = f"{item.index:04d}" if item.index is not None else ""
        before = [*item.album_artists[:1], *([item.album] if item.album else [])]
        return "-".join([*before, f"{disc}{number}{item.name}"])
    return dashed(item.id)


def dashed(item_id: str) -> str:
    """An id with dashes."""
    return "-".join((item_id[:8], item_id[8:12], item_id[12:16], item_id[16:20], item_id[20:]))
