"""The demo's lyrics: poems written for it, as plain lines or as LRC timed to the bars of the music."""

from collections.abc import Sequence
from dataclasses import dataclass

from jellytui.demo.composer.music.arrange import Score


@dataclass(frozen=True, slots=True)
class Poem:
    """A text; `synced` ones are written with times."""

    text: str
    synced: bool = True

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines, an empty one between two stanzas."""
        return tuple(self.text.strip().split("\n"))


POEMS: dict[str, Poem] = {
    "raices": Poem("""
Vine por el camino viejo
con la tierra en los zapatos
y el río me dijo al oído
lo que callan los retratos

Debajo de cada piedra
duerme el nombre de un abuelo
la raíz no ve la lluvia
pero bebe de su cielo

Si me voy, que sea despacio
como se apaga la tarde
que el árbol que más se mueve
es el que sabe quedarse

Vine por el camino viejo
y el camino me ha encontrado
"""),
    "nana": Poem("""
Duerme, que el viento no pasa
de la puerta del jardín
la luna barre la casa
con su escoba de jazmín

Duerme, que el mar está lejos
y no te viene a buscar
se quedó con sus espejos
aprendiéndose a callar
""", synced=False),
    "segfault": Poem("""
I had an address, I had a key
I knocked at the door of memory
The house was there a loop ago
Now nobody's home at zero zero

Segfault, segfault
I read a little too far
Segfault, segfault
I forgot to ask who you are

They freed the room, they freed the light
I kept the number and came at night
You can point at a star all your life long
The star moved out and the number's wrong

Segfault, segfault
Dump my heart to a file
Segfault, segfault
Somebody will look in a while
"""),
    "race": Poem("""
You took the lock, I took the key
I wait for you, you wait for me
We meet in tests, but not in prod
and neither of us finds it odd

On your mark and out of order
both of us across the border
Who was first? The log can't say
It was written yesterday
""", synced=False),
    "nordurljos": Poem("""
Kvöldið kemur hægt úr hafi
hljótt er yfir mó
snjórinn geymir gömul spor
og gefur öllum ró

Grænt er ljós á dimmum himni
dansar yfir fjöll
eins og einhver opni glugga
inn í bjarta höll

Ég stend kyrr og hlusta lengi
heyri ekki neitt
nóttin segir allt sem þarf
og orð er bara eitt

Ljós
"""),
    "amaoto": Poem("""
窓をたたく雨の指
冷めていく珈琲
名前のない夜の曲が
天井をあるく

傘の数だけ帰り道
水たまりに信号
青になっても急がずに
少しだけ濡れてゆく

終電の音が遠くなる
街がそっと息をする
雨音だけが知っている
きみの鼻歌のつづき
"""),
    "poezd": Poem("""
На станции пустой темно
часы стоят, а снег идёт
и чьё-то жёлтое окно
кого-то много лет как ждёт

Последний поезд, не спеши
оставь нам свет, оставь нам дым
мы танцевали для души
на полустанке с ним одним

Раз, два, три — и гаснет лёд
раз, два, три — и спит вокзал
тот, кто опоздал, поёт
то, что вовремя не сказал
"""),
    "limani": Poem("""
Στο λιμάνι ανάβει ένα φως
και το κύμα το παίρνει μακριά
ένας γλάρος, παλιός ναυαγός
μου μετράει τα χρόνια με αλάτι ξανά

Πες μου, θάλασσα, πόσα κρατάς
πόσα γράμματα, πόσα κλειδιά
όλα φεύγουν και όλα γυρνάς
μια βραδιά, μια βραδιά, μια βραδιά
"""),
}  # fmt: skip


def line_times(score: Score, lines: Sequence[str]) -> list[float]:
    """When each line begins, in seconds: evenly from the first theme to the outro, on a bar or at least on a beat."""
    first = score.sections[0].bars if len(score.sections) > 1 else 0
    last = score.sections[-1].first_bar if len(score.sections) > 1 else score.bars
    start = first * score.bar_seconds
    span = min(last * score.bar_seconds, score.seconds * 0.95) - start
    spaced = [start + span * number / len(lines) for number in range(len(lines))]
    dense = span / len(lines) < score.bar_seconds
    grid = score.bar_seconds / score.style.beats if dense else score.bar_seconds
    snapped = [round(time / grid) * grid for time in spaced]
    return snapped if len(set(snapped)) == len(lines) and snapped[-1] < score.seconds else spaced


def lrc(score: Score, poem: Poem, *, title: str, artist: str) -> str:
    """The poem as an LRC file. The lines between stanzas are kept empty, so that a screen shows the pause."""
    written = [f"[ti:{title}]", f"[ar:{artist}]"]
    for time, line in zip(line_times(score, poem.lines), poem.lines, strict=True):
        hundredths = int(time * 100)
        written.append(f"[{hundredths // 6000:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}]{line}")
    return "\n".join(written) + "\n"
