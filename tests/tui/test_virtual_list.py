"""The virtual list alone in an app: cursor, mouse, jumps, and rows that are always exactly as wide as the list."""

from collections.abc import Sequence

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown

from jellytui.tui.format import fit
from jellytui.tui.widgets.virtual_list import Cell, VirtualList
from tests.support.waiting import until
from tests.tui.music import HOSTILE


class Names(VirtualList):
    """Rows "0", "1", …; every row of `headings` is one."""

    def __init__(self, names: Sequence[str] = (), headings: Sequence[int] = ()) -> None:
        super().__init__()
        self.names = names
        self.headings = headings
        self.rows_drawn = 0

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        self.rows_drawn += 1
        name = self.names[index] if self.names else str(index)
        return [(fit(name, width - 5), ""), (" 3:05", "dim")]

    def is_selectable(self, index: int) -> bool:
        return index not in self.headings


class ListApp(App[None]):
    CSS = "VirtualList { scrollbar-size-vertical: 1; }"

    def __init__(self, its_list: Names, rows: int) -> None:
        super().__init__()
        self.list = its_list
        self.rows = rows
        self.moved: list[int] = []
        self.chosen: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self.list.set_row_count(self.rows)
        self.list.focus()

    def on_virtual_list_moved(self, event: VirtualList.Moved) -> None:
        self.moved.append(event.index)

    def on_virtual_list_chosen(self, event: VirtualList.Chosen) -> None:
        self.chosen.append(event.index)


async def test_a_hundred_thousand_rows_draw_only_what_is_seen() -> None:
    app = ListApp(Names(), 100_000)
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.press("G")
        await pilot.press("pageup", "pageup", "home")
        assert app.list.cursor == 0
        assert app.list.rows_drawn < 200


async def test_the_edge_scrolls_by_half_a_page() -> None:
    app = ListApp(Names(), 1000)
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.press(*["j"] * 19)
        assert app.list.scroll_offset.y == 0
        await pilot.press("j")
        assert (app.list.cursor, app.list.scroll_offset.y) == (20, 10)
        await pilot.press("ctrl+d")
        assert app.list.cursor == 30
        await pilot.press("ctrl+u", "ctrl+u", "ctrl+u")
        assert (app.list.cursor, app.list.scroll_offset.y) == (0, 0)


async def test_a_click_points_and_a_double_click_chooses() -> None:
    app = ListApp(Names(), 100)
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.click(Names, offset=(5, 7))
        assert (app.list.cursor, app.chosen) == (7, [])
        await pilot.click(Names, offset=(5, 7), times=2)
        assert app.chosen == [7]


async def test_the_wheel_scrolls_and_leaves_the_cursor() -> None:
    app = ListApp(Names(), 100)
    async with app.run_test(size=(40, 20)) as pilot:
        app.list.post_message(MouseScrollDown(app.list, 5, 5, 0, 1, 0, False, False, False, 5, 5))
        await until(lambda: app.list.scroll_offset.y > 0)
        await pilot.pause()
        assert app.list.cursor == 0


async def test_the_cursor_skips_headings_and_shows_the_one_above_the_first_row() -> None:
    app = ListApp(Names(headings=(0, 5)), 50)
    async with app.run_test(size=(40, 10)) as pilot:
        assert app.list.cursor == 1
        await pilot.press("j", "j", "j", "j")
        assert app.list.cursor == 6
        await pilot.press("k")
        assert app.list.cursor == 4
        await pilot.press("G", "g")
        assert (app.list.cursor, app.list.scroll_offset.y) == (1, 0)


@pytest.mark.parametrize("width", [36, 41, 80])
async def test_hostile_names_leave_every_row_as_wide_as_the_list(width: int) -> None:
    app = ListApp(Names(names=HOSTILE), len(HOSTILE))
    async with app.run_test(size=(width, 10)) as pilot:
        await pilot.pause()
        for y in range(len(HOSTILE)):
            strip = app.list.render_line(y)
            assert strip.cell_length == width
            assert cell_len(strip.text) == width
            # The time ends where the scrollbar would begin, in every row.
            assert cell_len(strip.text[: strip.text.index(" 3:05") + 5]) == width - 1
        assert "[bold]x[/] [/Live]" in app.list.render_line(0).text


async def test_only_changed_rows_are_drawn_anew() -> None:
    names = ["a", "b", "c"]
    app = ListApp(Names(names=names), 3)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        names[1] = "other"
        app.list.refresh_changed()
        await pilot.pause()
        assert "other" in app.list.render_line(1).text


async def test_a_change_is_drawn_also_after_the_terminal_changed_its_size() -> None:
    names = ["a", "b", "c"]
    app = ListApp(Names(names=names), 3)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.resize_terminal(50, 12)
        await until(lambda: app.list.size.width == 50)
        await pilot.pause()
        names[1] = "other"
        app.list.refresh_changed()
        await pilot.pause()
        # Not by `render_line`, which would draw it only now.
        assert "other" in app.export_screenshot()


async def test_a_change_is_drawn_also_after_so_many_rows_that_the_first_were_forgotten() -> None:
    names = [str(number) for number in range(4200)]
    app = ListApp(Names(names=names), 4200)
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        for index in range(20, 4200):
            app.list.render_line(index)
        names[1] = "other"
        app.list.refresh_changed()
        await pilot.pause()
        assert "other" in app.export_screenshot()


async def test_a_storm_of_resizes_draws_what_is_seen_and_no_more() -> None:
    app = ListApp(Names(), 100_000)
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        app.list.rows_drawn = 0
        for width in range(41, 49):
            await pilot.resize_terminal(width, 20)
        await until(lambda: app.list.size.width == 48)
        await pilot.pause()
        assert app.list.rows_drawn <= 8 * 20


async def test_a_list_without_rows_says_what_to_do() -> None:
    app = ListApp(Names(), 0)
    app.list.empty_text = "Nothing yet. Press d on a track."
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("j", "G", "enter")
        assert "Press d on a track." in app.list.render_line(1).text
        assert app.list.cursor == 0
