"""The record of inputs on disk: what was written is read, what is missing is said, secrets stay out of it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocol.market import PriceTick
from protocol.webhook import WebhookRequest
from runtime.clock import NANOS
from runtime.recording import Recorder
from runtime.tape import Item, LifeBegan, Mark, TapeItem, Unreadable
from store.inputs.codec import InputCodec, mask_of
from store.inputs.files import DayFile, NoRecord, day_of, days, path_of, prune, segments
from store.inputs.reading import read_day
from store.inputs.writing import InputWriter
from venues.paper.messages import Attach

DAY = "2026-11-21"
NOON = 20_778 * 86_400 * NANOS + 43_200 * NANOS
SECRET = "very-secret-alert-word"


def message(value: Any, life: int = 1) -> TapeItem:
    """Return the item of a handled message."""
    return (int(Item.MESSAGE), life, value, 7, 6, 5, "/venues/paper/feed", False)


def tick(price: str) -> PriceTick:
    """Return a price."""
    return PriceTick("BTC/USDT", NOON, Decimal(price), Decimal(price), Decimal(price))


def test_items_come_back_as_they_went() -> None:
    """Messages, reads, instants, lives and marks survive the way through a file's bytes."""
    life = LifeBegan("/risk/pool-paper", "/risk/pool-paper", "actors.pool:Pool", 2, 40, {"_given": ("a", 1)})
    items: list[TapeItem] = [
        (int(Item.MARK), 0, Mark.OPENED.value, {"version": "1", "virtual": False}),
        (int(Item.LIFE), 1, life),
        message(tick("1.10")),
        (int(Item.NOW), 1, 0, NOON),
        (int(Item.READ), 1, "kept", "market:BTC/USDT", tick("1.2"), False),
        (int(Item.READ), 1, "ask", ("/risk/pool-paper", "DryRun"), TimeoutError("late"), True),
        (int(Item.STATE), 1, life, NOON, b"frozen"),
        (int(Item.ENDED), 1, True),
    ]
    codec = InputCodec()
    back = list(codec.decode(codec.encode(items)))
    error = back[5][4]
    assert back[:5] == items[:5]
    assert (type(error), error.args, back[5][:4], back[5][5]) == (TimeoutError, ("late",), items[5][:4], True)
    assert back[6:] == items[6:]
    assert str(back[2][2].last) == "1.10", "to the digit"


def test_callbacks_are_left_out() -> None:
    """A message that carries a callback comes back with one that does nothing: what it told stands elsewhere."""
    told: list[Any] = []
    codec = InputCodec()
    (item,) = codec.decode(codec.encode([message(Attach(lambda fact: told.append(fact)))]))
    item[2].sink(tick("1"))
    assert isinstance(item[2], Attach)
    assert told == []


def test_no_secret_is_written_and_who_knows_it_gets_it_back() -> None:
    """A body that bears a secret is stored without it; with the secret at hand it is as it was (EX-1501)."""
    body = b'{"secret":"' + SECRET.encode() + b'"}'
    request = WebhookRequest("trader", "1.2.3.4", (("X-Proof", SECRET),), body, "")
    data = InputCodec(lambda: (SECRET,)).encode([message(request)])
    assert SECRET.encode() not in data
    assert next(iter(InputCodec(lambda: (SECRET,)).decode(data)))[2] == request
    assert mask_of(SECRET).encode() in next(iter(InputCodec().decode(data)))[2].body


def test_nothing_but_our_own_values_is_made_from_a_file() -> None:
    """A pickle that names anything else (a shell, an import) is not loaded: the value is unreadable and says why."""

    class Evil:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, ...]]:
            return (print, ("owned",))

    row = [int(Item.MESSAGE), 1, 0, 7, 6, 5, "", False]
    (item,) = InputCodec().decode(msgspec.msgpack.encode([[], [[-1, pickle.dumps(Evil())]], [row]]))
    assert isinstance(item[2], Unreadable)
    assert "builtins.print" in item[2].why


def write(folder: Path, *contents: bytes) -> None:
    """Write a day of these segments."""
    file = DayFile(folder, DAY)
    for content in contents:
        file.append(content)
    file.close()


def test_a_day_is_read_in_order_and_is_private(tmp_path: Path) -> None:
    """Segments are read as they were written, over several openings; the file is for its owner only."""
    write(tmp_path, b"one", b"two")
    write(tmp_path, b"three")
    assert [each.payload for each in segments(tmp_path, DAY)] == [b"one", b"two", b"three"]
    assert path_of(tmp_path, DAY).stat().st_mode & 0o777 == 0o600


def test_what_a_crash_left_half_written_is_a_gap_and_is_cut_off(tmp_path: Path) -> None:
    """A torn end is said when it is read, and removed when the file is opened again."""
    write(tmp_path, b"one", b"two")
    path = path_of(tmp_path, DAY)
    path.write_bytes(path.read_bytes()[:-3])
    read = list(segments(tmp_path, DAY))
    assert (read[0].payload, read[1].payload) == (b"one", None)
    assert "damaged" in read[1].gap
    write(tmp_path, b"three")
    assert [each.payload for each in segments(tmp_path, DAY)] == [b"one", b"three"]


def test_a_damaged_segment_costs_itself_only(tmp_path: Path) -> None:
    """Bytes that changed on disk are noticed, and what follows is read all the same."""
    write(tmp_path, b"one" * 50, b"two" * 50, b"three" * 50)
    path = path_of(tmp_path, DAY)
    data = bytearray(path.read_bytes())
    second = data.index(b"BHIS", data.index(b"BHIS") + 1)
    data[second + 24] ^= 0xFF
    path.write_bytes(bytes(data))
    read = list(segments(tmp_path, DAY))
    assert [each.payload for each in read] == [b"one" * 50, None, b"three" * 50]


def test_a_missing_segment_is_said(tmp_path: Path) -> None:
    """A segment that is not there leaves its number free, and that is seen."""
    file = DayFile(tmp_path, DAY)
    file.append(b"one")
    file.append(b"three", lost=1)
    file.close()
    read = list(segments(tmp_path, DAY))
    assert [each.payload for each in read] == [b"one", None, b"three"]
    assert read[1].gap == "segments 2 to 2 are missing"


def test_old_days_go(tmp_path: Path) -> None:
    """Records older than the days that are kept are removed; a day without one is an error that names it."""
    for day in ("2026-11-01", "2026-11-14", DAY):
        path_of(tmp_path, day).write_bytes(b"")
    assert prune(tmp_path, DAY, 7) == ["2026-11-01"]
    assert days(tmp_path) == ["2026-11-14", DAY]
    with pytest.raises(NoRecord, match="2026-11-01"):
        list(segments(tmp_path, "2026-11-01"))


def writer(recorder: Recorder, folder: Path, trouble: Callable[[OSError | None], None]) -> InputWriter:
    """Return who writes a record."""
    return InputWriter(recorder, folder, hidden=tuple, keep_days=lambda: 7, trouble=trouble)


def test_a_record_turns_at_midnight(tmp_path: Path) -> None:
    """What is taken after midnight stands in the next day's file, which begins anew and needs nothing of the first."""
    recorder = Recorder()
    recorder.stands("config", 3)
    keeper = writer(recorder, tmp_path, lambda _: None)
    keeper.collect(NOON)
    recorder.items.append(message(tick("1")))
    keeper.collect(NOON + 43_200 * NANOS)
    recorder.items.append(message(tick("2")))
    keeper.close()
    first, second = (list(read_day(tmp_path, day)) for day in (DAY, day_of(NOON + 43_200 * NANOS)))
    assert [item[2] for item in first] == ["config", tick("1"), Mark.TURNED]
    assert [item[2] for item in second] == [Mark.OPENED, "config", tick("2"), Mark.CLOSED]


def test_a_disk_that_fails_costs_a_gap_and_nothing_else(tmp_path: Path) -> None:
    """What cannot be written is lost and said, in the file too; when there is room again the record goes on."""
    said: list[OSError | None] = []
    recorder = Recorder()
    folder = tmp_path / "inputs"
    folder.write_text("in the way")
    keeper = writer(recorder, folder, said.append)
    keeper.collect(NOON)
    recorder.items.append(message(tick("1")))
    keeper.finish()
    keeper.wait()
    folder.unlink()
    keeper.collect(NOON)
    recorder.items.append(message(tick("2")))
    keeper.close()
    assert [type(each) for each in said] == [FileExistsError, type(None)]
    items = list(read_day(folder, DAY))
    assert [item[2] for item in items] == [Mark.GAP, Mark.GAP, Mark.OPENED, tick("2"), Mark.CLOSED]
