"""The demo's albums and playlists as data: invented artists, titles, lengths, moods and what each track carries."""

from dataclasses import dataclass, field, replace

from jellytui.demo.composer.music import styles
from jellytui.demo.composer.music.styles import Style

_NEIGHBOURS = (0, 0, 7, 0, 5, 2)  # the keys that an album visits, in semitones above its own


@dataclass(frozen=True, slots=True)
class Track:
    """One track. `energy` 0 calm to 1 lively; `words` names a poem of lyrics.py; empty fields are the album's."""

    title: str
    seconds: float
    energy: float
    disc: int = 1
    words: str = ""
    artists: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    style: Style | None = None
    joined: bool = False  # goes on from the track before without a gap: both are cut from one piece


@dataclass(frozen=True, slots=True)
class Album:
    """One album. `tonic`: pitch class, 0 = C; `cover`: a design of covers.py, which `embedded` puts in the files."""

    artist: str
    title: str
    date: str
    genres: tuple[str, ...]
    style: Style
    tonic: int
    cover: str
    tracks: tuple[Track, ...]
    compilation: bool = False
    embedded: bool = False

    @property
    def discs(self) -> int:
        """How many discs it has."""
        return max(track.disc for track in self.tracks)

    def number(self, track: Track) -> int:
        """The place of a track on its disc, from 1."""
        return [each for each in self.tracks if each.disc == track.disc].index(track) + 1

    def tonic_of(self, track: Track) -> int:
        """The pitch class of a track's key: the album's or one near to it."""
        return (self.tonic + _NEIGHBOURS[self.tracks.index(track) % len(_NEIGHBOURS)]) % 12


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the demo's user has done already: names of artists, (album, title) of tracks, album titles."""

    artists: tuple[str, ...]
    albums: tuple[str, ...]
    tracks: tuple[tuple[str, str], ...]
    playlists: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


_RAICES = Album(
    "Alma Verde", "Raíces", "2021-03-19", ("Folk", "Latin"), styles.FOLK_GUITAR, 9, "roots", embedded=True,
    tracks=(
        Track("Alba", 38, 0.3),
        Track("Río abajo", 44, 0.6),
        Track("Raíces", 72, 0.55, words="raices"),
        Track("La sal", 36, 0.75),
        Track("Piedra y viento", 42, 0.5),
        Track("Interludio", 20, 0.1),
        Track("Nana", 48, 0.0, words="nana"),
        Track("Todo lo que fue", 40, 0.4),
        Track("Marea", 46, 0.65),
        Track("Volver", 41, 0.9),
        Track("Final", 58, 0.35, artists=("Alma Verde", "夜の音楽隊")),
    ),
)  # fmt: skip

_SEVILLA = Album(
    "Alma Verde", "Vivo en Sevilla", "2023-10-06", ("Flamenco", "Live"), styles.FLAMENCO, 4, "arches",
    tracks=(
        Track("Presentación", 24, 0.2),
        Track("Tangos del puente", 46, 0.7),
        Track("Soleá para nadie", 52, 0.15),
        Track("Bulerías de medianoche", 44, 1.0),
        Track("Vivo en Sevilla", 40, 0.6, artists=("Alma Verde", "Niña de la Cal")),
        Track("Alegrías, primera parte", 45, 0.8),
        Track("Alegrías, segunda parte", 42, 0.8, joined=True),
    ),
)  # fmt: skip

_HITS = Album(
    "The Null Pointers", "Greatest Hits", "2016-12-25", ("Chiptune", "Electronic"), styles.CHIP, 0, "invader",
    tracks=(
        Track("Segfault", 47, 0.9, words="segfault"),
        Track("Off by One", 34, 0.6),
        Track("Heap of Dreams", 44, 0.2),
        Track("Race Condition", 38, 1.0, words="race"),
        Track("Stack Overflow Blues", 41, 0.4),
        Track("Rubber Duck", 30, 0.5),
        Track("Null Island", 35, 0.65),
        Track("It Works on My Machine", 36, 0.75),
        Track("Free()", 42, 0.85),
    ),
)  # fmt: skip

_FRIDAY = Album(
    "The Null Pointers",
    "How We Learned to Stop Worrying and Love the Undefined Behaviour of Everything That Was Ever Deployed "
    "on a Friday Afternoon",
    "2025-02-14", ("Techno", "Synthwave"), styles.TECHNO, 9, "sunset", embedded=True,
    tracks=(
        Track("Friday, 16:58", 50, 0.3),
        Track("Ship It", 56, 0.8),
        Track("Monitoring Is Quiet (Too Quiet)", 48, 0.5),
        Track("The Pager Sings", 52, 1.0),
        Track("Rollback at Dawn", 46, 0.6),
        Track("A Song Whose Title Does Not Fit Into Any Column That Anybody Has Ever Drawn on a Terminal", 44, 0.4),
    ),
)  # fmt: skip

_NORTH = Album(
    "Björk Þórsdóttir", "Norðurljós", "2009-11-02", ("Ambient",), styles.AMBIENT, 2, "aurora",
    tracks=(
        Track("Dögun", 46, 0.3),
        Track("Hvítá", 50, 0.5),
        Track("Þögnin í fjörunni", 44, 0.1),
        Track("Ský yfir Öræfum", 48, 0.7),
        Track("Dagsetur", 42, 0.4),
        Track("Norðurljós", 90, 0.6, disc=2, words="nordurljos"),
        Track("Ís", 36, 0.0, disc=2),
        Track("Draumur um hafið", 52, 0.5, disc=2),
        Track("Stjörnuhrap", 40, 0.9, disc=2),
        Track("Góða nótt", 48, 0.2, disc=2),
    ),
)  # fmt: skip

_RAIN = Album(
    "夜の音楽隊", "雨音と珈琲", "2018-06-11", ("Lo-Fi", "Jazz"), styles.LOFI, 5, "rain", embedded=True,
    tracks=(
        Track("始発前", 34, 0.2),
        Track("雨音", 56, 0.5, words="amaoto"),
        Track("珈琲をもう一杯", 44, 0.7),
        Track("路地裏の猫", 38, 0.9),
        Track("傘を忘れて", 42, 0.4),
        Track("深夜ラジオ", 46, 0.6),
        Track("水たまりの月", 40, 0.1),
        Track("おやすみ、東京", 48, 0.3),
    ),
)  # fmt: skip

_WALTZES = Album(
    "Вечерний экспресс", "Вальсы для пустой станции", "2004-09-01", ("Waltz", "Chamber"), styles.WALTZ, 2, "station",
    tracks=(
        Track("Первый снег", 40, 0.4),
        Track("Зал ожидания", 44, 0.2),
        Track("Последний поезд", 60, 0.6, words="poezd"),
        Track("Чай в подстаканнике", 36, 0.8),
        Track("Письмо без адреса", 42, 0.1),
        Track("Карусель", 34, 1.0),
        Track("Огни за окном", 50, 0.5),
    ),
)  # fmt: skip

_LIGHTS = Album(
    "Various Artists", "Harbour Lights", "1999-07-23", ("World", "Compilation"), styles.HARBOUR, 7, "harbour",
    compilation=True,
    tracks=(
        Track("Λιμάνι", 50, 0.7, words="limani", artists=("Κύμα",), genres=("Rebetiko",)),
        Track("Hïghwäy to Hélp", 42, 0.8, artists=("AC/DC Tribute Ünïcode",), genres=("Rock",), style=styles.ROCK),
        Track("Pluie sur les quais", 44, 0.3, artists=("Orchestre de l’Éternelle Averse",), genres=("Waltz",),
              style=styles.WALTZ),
        Track("Żółty statek", 46, 0.6, artists=("Łódź Dub Syndykat",), genres=("Dub", "Reggae"), style=styles.DUB),
        Track("Gece vapuru", 40, 0.9, artists=("İstanbul Gece Hattı",), genres=("Folk",)),
        Track("Radio Mandrágora", 38, 0.5, artists=("Alma Verde", "The Null Pointers"), genres=("Electronic", "Latin"),
              style=styles.TECHNO),
        Track("항구의 불빛", 42, 0.4, artists=("밤바다",), genres=("Lo-Fi",), style=styles.LOFI),
        Track("Low Tide", 48, 0.2, artists=("Björk Þórsdóttir",), genres=("Ambient",), style=styles.AMBIENT),
    ),
)  # fmt: skip

ALBUMS: tuple[Album, ...] = (_RAICES, _SEVILLA, _HITS, _FRIDAY, _NORTH, _RAIN, _WALTZES, _LIGHTS)


def _all(album: Album) -> tuple[tuple[str, str], ...]:
    return tuple((album.title, track.title) for track in album.tracks)


WISHES = Wishes(
    artists=("Alma Verde", "夜の音楽隊"),
    albums=("Norðurljós", "Greatest Hits"),
    tracks=(
        ("Raíces", "Alba"),
        ("Raíces", "Volver"),
        ("Greatest Hits", "Segfault"),
        ("Norðurljós", "Hvítá"),
        ("雨音と珈琲", "雨音"),
        ("Вальсы для пустой станции", "Последний поезд"),
        ("Harbour Lights", "Λιμάνι"),
    ),
    playlists={
        "Long Way Home": (*_all(_RAIN), *_all(_NORTH), *_all(_WALTZES), *_all(_LIGHTS)[2:5]),
        "真夜中の散歩": (*_all(_RAIN)[1::2], *_all(_NORTH)[5:8], ("Harbour Lights", "항구의 불빛")),
        "Deploy!": (*_all(_HITS)[:1], *_all(_FRIDAY)[1:4], *_all(_HITS)[4:5], ("Harbour Lights", "Hïghwäy to Hélp")),
    },
)


def shortened(seconds: float) -> tuple[Album, ...]:
    """The same albums with every track of this length, for tests."""
    return tuple(
        replace(album, tracks=tuple(replace(track, seconds=seconds) for track in album.tracks)) for album in ALBUMS
    )
