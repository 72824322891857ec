"""The live view: frames for any terminal, loud about a made-up market, patient with a daemon that restarts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from protocol.errors import ValidationError
from service.api.client import DaemonNotRunning, DaemonTimeout
from service.top import print_frame, save_svg
from service.top.frame import frame, waiting_frame
from service.top.live import View
from service.top.pictures import size_of


def actor(path: str, state: str = "running", **changes: Any) -> dict[str, Any]:
    """Return an actor's row."""
    plain = {"path": path, "kind": "X", "state": state, "restarts": 0, "mailbox": 0, "oldest_ms": 0.0, "handled": 1}
    return {**plain, "failed": 0, "parked": 0, "handle_p99_ms": 0.1, "detail": "", **changes}


def group(index: int) -> dict[str, Any]:
    """Return an open group."""
    return {
        "group_id": f"g{index:04d}",
        "symbol": "BTC/USDT",
        "timeframe": "1h",
        "side": "long",
        "state": "partially_filled",
        "legs": 5,
        "legs_filled": 2,
        "open_qty": "0.00321",
        "avg_entry": "62000.123456789",
        "mark": "62100.5",
        "unrealized_quote": "-12.3456",
        "realized_quote": "7.1",
        "scope": "paper",
        "venue_trouble": "",
    }


def order(index: int) -> dict[str, Any]:
    """Return a working order."""
    return {
        "client_order_id": f"bhorder{index:04d}",
        "symbol": "BTC/USDT",
        "purpose": "entry",
        "leg_id": "p0.l1",
        "side": "buy",
        "qty": "0.00161",
        "price": "61979.94",
        "state": "open",
        "filled_qty": "0",
    }


def event(index: int) -> dict[str, Any]:
    """Return a line of the event log."""
    return {
        "at": index * 1_000_000_000,
        "severity": "order",
        "identity": "BTC/USDT 1h long",
        "text": f"leg p0.l{index} filled",
    }


def venue(account: str, scope: str = "paper", text: str = "") -> dict[str, Any]:
    """Return how an account's venue stands."""
    return {"account": account, "scope": scope, "status": "up", "code": "", "reason": "", "text": text}


def overview(**changes: Any) -> dict[str, Any]:
    """Return the daemon's answer that a frame is drawn from."""
    status = {
        "version": "1.2.3",
        "source": "SYNTHETIC",
        "scope": "paper",
        "mode": "paper",
        "venues": [venue("paper")],
        "uptime_s": 90.0,
        "engine": {"status": "running", "reason": "", "permit": 1},
        "counts": {"slots_taken": 1, "slots": 10},
        "journal": {"head": 77, "error": ""},
        "dead_letters": {"total": 0, "kept": 0},
        "memory_bytes": 100_000_000,
    }
    paths = ["/", "/risk", "/risk/coordinator", "/venues", "/venues/paper", "/venues/paper/desk", "/trading"]
    return {
        "status": {**status, **changes.pop("status", {})},
        "ps": [actor(path) for path in paths],
        "groups": [group(1)],
        "orders": [order(1)],
        "events": [event(index) for index in range(5)],
        "pnl": [{"quote": "USDT", "scope": "paper", "net_quote": "3.5"}],
        "equity": [{"account": "paper", "currency": "USDT", "equity": "10003.5"}],
        **changes,
    }


def drawn(what: RenderableType, width: int, height: int) -> list[str]:
    """Return the lines of a picture."""
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=False, color_system=None)
    with console.capture() as captured:
        console.print(what, height=height)
    return captured.get().rstrip("\n").split("\n")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 60), (60, 16), (132, 40), (300, 20)])
def test_a_frame_fits_its_terminal(width: int, height: int) -> None:
    """A frame has exactly the terminal's lines and none is wider, from a small terminal to a large one."""
    many = overview(
        groups=[group(index) for index in range(50)],
        orders=[order(index) for index in range(200)],
        ps=[actor("/"), *(actor(f"/a{index}") for index in range(300))],
        events=[event(index) for index in range(50)],
    )
    for data in (overview(), many, overview(groups=[], orders=[], events=[], pnl=[], equity=[])):
        lines = drawn(frame(data, width, height), width, height)
        assert len(lines) == height
        assert max(len(line) for line in lines) <= width


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 60)])
def test_a_frame_shows_market_engine_group_order_and_events(width: int, height: int) -> None:
    """What an operator must see stands on every frame, small or large."""
    text = "\n".join(drawn(frame(overview(), width, height), width, height))
    for word in (
        "SYNTHETIC MARKET",
        "engine running",
        "BTC/USDT 1h",
        "2/5",
        "-12.35",
        "+7.10",
        "61979.94",
        "p0.l4 filled",
    ):
        assert word in text
    assert "realised +3.50 USDT" in text
    assert "equity 10,003.50 USDT" in text


def test_a_wide_frame_has_the_tree_and_ids() -> None:
    """With room, the tree of actors and the ids to ask about stand beside the lists."""
    text = "\n".join(drawn(frame(overview(), 200, 60), 200, 60))
    for word in ("coordinator", "g0001", "bhorder0001"):
        assert word in text


@pytest.mark.parametrize("width", [80, 200])
def test_a_sick_actor_is_never_left_out(width: int) -> None:
    """However many actors there are, one that is quarantined is named."""
    rows = [actor("/"), *(actor(f"/a{index}") for index in range(300)), actor("/sick", "quarantined")]
    text = "\n".join(drawn(frame(overview(ps=rows), width, 24), width, 24))
    assert "sick quarantined" in text


def test_a_venue_that_is_away_is_said_of_its_groups() -> None:
    """EX-106, EX-1207: above and at each of its groups stands `venue down`."""
    away = overview(
        groups=[{**group(1), "venue_trouble": "venue down"}, group(2)],
        status={"venues": [venue("lab", text="venue down")]},
    )
    lines = drawn(frame(away, 200, 60), 200, 60)
    assert "lab: venue down" in lines[0]
    assert [("venue down" in line, "partially filled" in line) for line in lines if "g000" in line] == [
        (True, False),
        (False, True),
    ]


def test_scopes_are_never_added_up() -> None:
    """EX-113: with accounts of two scopes each has a sum of its own; dry_run is loud."""
    both = overview(
        groups=[group(1), {**group(2), "scope": "simulation", "unrealized_quote": "5"}],
        pnl=[
            {"quote": "USDT", "scope": "paper", "net_quote": "3.5"},
            {"quote": "USDT", "scope": "simulation", "net_quote": "100"},
        ],
        status={"venues": [venue("desk"), venue("lab", "simulation")], "mode": "dry_run"},
    )
    first, second = drawn(frame(both, 300, 60), 300, 60)[:2]
    assert "DRY RUN" in first
    for figure in (
        "paper realised +3.50",
        "simulation realised +100.00",
        "paper unrealised -12.35",
        "simulation unrealised +5.00",
    ):
        assert figure in second


def test_trouble_is_loud() -> None:
    """A pause with its reason, a journal that cannot be written and a lost daemon stand in the head."""
    bad = overview(
        status={
            "source": "binance",
            "engine": {"status": "paused", "reason": "news", "permit": 2},
            "journal": {"head": 1, "error": "disk full"},
        }
    )
    head = "\n".join(drawn(frame(bad, 160, 30, problem="no daemon answers"), 160, 30)[:2])
    for word in ("binance", "engine paused: news", "THE JOURNAL CANNOT BE WRITTEN", "no daemon answers"):
        assert word in head
    assert "SYNTHETIC" not in head


class Daemon:
    """Answers as a daemon would; ``fails`` is raised instead while it is set."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.fails: Exception | None = None
        self.answer = overview()

    def get(self, path: str, **query: Any) -> Any:
        assert (path, query) == ("/v1/overview", {})
        if self.fails is not None:
            raise self.fails
        return self.answer

    def post(self, path: str, body: Any = None) -> Any:
        if self.fails is not None:
            raise self.fails
        self.told.append(path)


def seen(view: View) -> str:
    """Return what the view shows."""
    return "\n".join(drawn(view.picture(120, 30), 120, 30))


def test_the_view_waits_for_a_daemon_that_is_not_there_yet() -> None:
    """Before the first answer the view says what it waits for, and then shows the daemon."""
    daemon = Daemon()
    daemon.fails = DaemonNotRunning(Path("/x"), "gone")
    view = View(daemon)
    view.refresh()
    assert "trying again" in seen(view)
    daemon.fails = None
    view.refresh()
    assert "trying again" not in seen(view)
    assert "SYNTHETIC" in seen(view)


def test_the_last_picture_stays_while_the_daemon_restarts() -> None:
    """A daemon that is gone for a while leaves the last picture with the problem on it."""
    daemon = Daemon()
    view = View(daemon)
    view.refresh()
    for error, word in (
        (DaemonNotRunning(Path("/x"), "gone"), "trying again"),
        (DaemonTimeout("too slow"), "too slow"),
    ):
        daemon.fails = error
        view.refresh()
        assert word in seen(view)
        assert "BTC/USDT" in seen(view)


def test_entries_are_stopped_only_after_a_yes() -> None:
    """P asks first; any other key than y leaves everything as it is."""
    daemon = Daemon()
    view = View(daemon)
    view.refresh()
    view.press("p")
    assert "stop new entries? y/n" in seen(view)
    view.press("n")
    assert daemon.told == []
    view.press("p")
    view.press("y")
    assert daemon.told == ["/v1/pause"]
    assert "entries stopped" in seen(view)


def test_a_paused_engine_is_resumed_with_the_same_key() -> None:
    """On a paused engine p asks whether to allow entries again."""
    daemon = Daemon()
    daemon.answer = overview(status={"engine": {"status": "paused", "reason": "", "permit": 1}})
    view = View(daemon)
    view.refresh()
    view.press("p")
    assert "allow new entries again? y/n" in seen(view)
    view.press("Y")
    assert daemon.told == ["/v1/resume"]


def test_a_command_that_fails_is_told() -> None:
    """When the daemon does not take the command, the view says so and goes on."""
    daemon = Daemon()
    view = View(daemon)
    view.refresh()
    view.press("p")
    daemon.fails = DaemonTimeout("too slow")
    assert not view.press("y")
    daemon.fails = None
    view.refresh()
    assert "too slow" in seen(view)


def test_q_leaves_unless_it_answers_a_question() -> None:
    """Q leaves the view; as an answer to a question it only says no."""
    view = View(Daemon())
    view.refresh()
    view.press("p")
    assert not view.press("q")
    assert view.press("q")
    assert View(Daemon()).press("Q")


def test_one_frame_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """``--once`` prints one frame of the wanted size."""
    print_frame(Daemon(), "100x30")
    lines = capsys.readouterr().out.rstrip("\n").split("\n")
    assert len(lines) == 30
    assert "SYNTHETIC MARKET" in lines[0]


def test_the_picture_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    """The SVG shows the frame and fetches neither font nor image."""
    target = tmp_path / "top.svg"
    save_svg(Daemon(), str(target), "120x40")
    picture = target.read_text()
    assert "SYNTHETIC" in picture
    assert "@font-face" not in picture
    assert "url(http" not in picture
    save_svg(Daemon(), str(tmp_path / "again.svg"), "120x40")
    assert (tmp_path / "again.svg").read_text() == picture


@pytest.mark.parametrize("text", ["80", "80x", "x24", "10x10", "80x5", "99999x24", "-80x24"])
def test_an_absurd_size_is_refused(text: str) -> None:
    """A frame has a sane size."""
    with pytest.raises(ValidationError, match="WIDTHxHEIGHT"):
        size_of(text, (1, 1))


def test_the_waiting_frame_names_the_way_out() -> None:
    """Also before the first answer, the key to leave is shown."""
    assert "q quit" in "\n".join(drawn(waiting_frame("asking"), 80, 24))
