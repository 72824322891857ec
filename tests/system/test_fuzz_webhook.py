"""Bad input: whatever is posted, the sender hears what is wrong with it and the house stays as it was."""

from __future__ import annotations

import asyncio
import gc
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from hypothesis import HealthCheck, given, settings

from rules.signals import SIGNATURE_HEADER, TIMESTAMP_HEADER, AuthFailure, sign
from runtime.clock import NANOS, WallClock
from store.sqlite_journal import open_journal
from tests.system.hostile import BODY_LIMIT, Hand, anything
from tests.system.running import SECRETS, House, alert_document, eventually, house_config, running_house

BODIES: Final = 10_000
OF_HYPOTHESIS: Final = 1_500
WARM: Final = 1_000
"""Bodies after which memory is read the first time."""

GROWTH: Final = 24 * 1024 * 1024
"""Most bytes by which memory may grow from then to the end: signals and groups are remembered, requests are not."""

CONNECTIONS: Final = 4
STEP_NS: Final = 250_000_000
UNPROVEN: Final = {each.value for each in AuthFailure}


def hypothetical(count: int) -> list[bytes]:
    """Return bodies drawn by hypothesis."""
    drawn: list[bytes] = []

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(anything())
    def draw(body: bytes) -> None:
        drawn.append(body)

    draw()
    return drawn


def requests(at: int) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Yield ten thousand bodies with headers; every seventh tries to be signed, rightly or not."""
    hand = Hand(7, at)
    bodies = hypothetical(OF_HYPOTHESIS)
    for number in range(BODIES):
        body = bodies.pop() if bodies and number % 5 == 0 else hand.body()
        yield body, signed(number, body, at) if number % 7 == 0 else {}


def signed(number: int, body: bytes, at: int) -> dict[str, str]:
    """Return signature headers: right, of another body, too old, malformed."""
    now = str(at // NANOS)
    key = SECRETS.hmac_key.reveal()
    made = (
        {TIMESTAMP_HEADER: now, SIGNATURE_HEADER: sign(key, now, body)},
        {TIMESTAMP_HEADER: now, SIGNATURE_HEADER: sign(key, now, body + b"!")},
        {TIMESTAMP_HEADER: "1", SIGNATURE_HEADER: sign(key, "1", body)},
        {TIMESTAMP_HEADER: "٣", SIGNATURE_HEADER: "sha256=zz"},
        {SIGNATURE_HEADER: key},
        {TIMESTAMP_HEADER: now, SIGNATURE_HEADER: ""},
    )
    return made[number % len(made)]


def check_answer(status: int, answer: dict[str, Any], body: bytes) -> None:
    """Fail unless an answer is a 2xx, or a 4xx that names each wrong field, or the bare code for who proved nothing."""
    shown = f"{status} {answer} to {body[:300]!r}"
    if status == 200:
        assert answer["outcome"] in {"accepted", "duplicate_ignored", "replacement"}, shown
        assert answer["signal_id"], shown
    elif status == 401:
        assert set(answer) == {"outcome"}, shown
        assert answer["outcome"] in UNPROVEN, shown
    elif status == 413:
        assert answer == {"outcome": "BodyTooLarge"}, shown
        assert len(body) > BODY_LIMIT, shown
    else:
        assert status in (400, 422), shown
        assert answer["errors"], shown
        assert all(error["path"] and error["code"] for error in answer["errors"]), shown
        assert answer["outcome"] == answer["errors"][0]["code"], shown


async def post_all(house: House, posts: Iterable[tuple[bytes, dict[str, str]]], seen: Counter[str]) -> None:
    """Post everything over a few connections that are kept alive, and check each answer."""
    waiting = iter(posts)

    async def sender() -> None:
        for body, headers in waiting:
            async with house.session.post(house.url, data=body, headers=headers) as response:
                answer = await response.json()
                check_answer(response.status, answer, body)
                seen[f"{response.status} {answer['outcome']}"] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(sender())


def check_unmoved(house: House) -> None:
    """Fail when anybody was restarted or failed, or a message found no end."""
    moved = [each for each in house.system.stats() if each.restarts or each.failed or each.unhandled]
    assert moved == []
    assert house.system.dead_letters.all() == []


def memory() -> int:
    """Return the bytes this process holds."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def check_no_secret(data_dir: Path) -> None:
    """Fail when a secret stands anywhere in what the house wrote."""
    for file in sorted(data_dir.iterdir()):
        if file.is_file():
            content = file.read_bytes()
            for secret in SECRETS.shown_nowhere:
                assert secret.encode() not in content, f"{file.name} holds a secret"


async def go_on(data_dir: Path) -> None:
    """Fail unless all that was written can be read again, and a house goes on with it."""
    with closing(open_journal(data_dir / "journal.db")) as journal:
        assert sum(1 for _ in journal.read_all()) == journal.head()
    async with running_house(house_config(data_dir), step_ns=STEP_NS) as house:
        check_unmoved(house)


@pytest.mark.slow(seconds=25)
def test_ten_thousand_hostile_webhooks(tmp_path: Path) -> None:
    """Each answer is 2xx or a 4xx that names the field; nobody restarts, memory stays flat, no secret is written."""
    at = WallClock().now()
    posts = list(requests(at))
    seen: Counter[str] = Counter()

    async def main() -> None:
        async with running_house(house_config(tmp_path), step_ns=STEP_NS) as house:
            await post_all(house, posts[:WARM], seen)
            warm = memory()
            await post_all(house, posts[WARM:], seen)
            growth = memory() - warm
            print(f"memory grew by {growth / 1e6:.1f} MB; {dict(seen.most_common())}")  # noqa: T201
            assert growth < GROWTH
            check_unmoved(house)
            check_no_secret(tmp_path)

    asyncio.run(main())
    assert seen.total() == BODIES
    check_no_secret(tmp_path)
    asyncio.run(go_on(tmp_path))
    # The corpus reached every kind of answer; else it would prove little.
    kinds = {key.partition(" ")[0] for key in seen}
    assert kinds == {"200", "400", "401", "413", "422"}


def with_secret(at: int) -> Iterator[bytes]:
    """Yield an alert for each of its texts with the secret in it, in several dresses; names too long when redacted."""
    secret = SECRETS.secret.reveal()
    dresses = (secret, f"password={secret}", f"x{secret}y", f'{{"secret": "{secret}"}}', "secret=a " * 28, secret * 3)
    sections = ("", "tv", "strategy_info", "execution_intent", "risk")
    for number, (section, dress) in enumerate(product(sections, dresses)):
        names = list(
            alert_document("BTC/USDT", Decimal(60_000), "x", at).get(section) or ("source", "timestamp", "extra")
        )
        for name in names:
            document = alert_document("BTC/USDT", Decimal(60_000), f"{number}{name}", at)
            (document[section] if section else document)[name] = dress
            text = json.dumps(document)
            yield text.encode()
            # The same once more, spelt so that a search for the secret in the bytes does not find it.
            yield text.replace(secret[:4], "".join(f"\\u{ord(each):04x}" for each in secret[:4])).encode()


def test_a_secret_in_any_field_is_not_written(tmp_path: Path) -> None:
    """EX-252: wherever the secret stands in an alert, however it is spelt, it does not get into any file."""
    posts = list(with_secret(WallClock().now()))

    async def main() -> None:
        seen: Counter[str] = Counter()
        async with running_house(house_config(tmp_path), step_ns=STEP_NS) as house:
            await post_all(house, ((body, {}) for body in posts), seen)
            check_unmoved(house)
        assert seen["200 accepted"] > 10
        check_no_secret(tmp_path)

    asyncio.run(main())
    asyncio.run(go_on(tmp_path))


RAW_REQUESTS: Final = (
    b"",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /webhook/" + b"x" * 24 + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
    b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
    b"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    b"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
    b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    b"POST {path} HTTP/1.1\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    b"POST {path} HTTP/9.9\r\n\r\n",
    b"POST {path} HTTP/1.1\r\nHost: x\r\nX-\xff\xfe: \xff\r\nContent-Length: 2\r\n\r\n{}",
)
"""What a port scanner, a broken proxy or a sender that hangs up sends."""


def test_broken_http(tmp_path: Path) -> None:
    """No request that is no proper HTTP moves anybody, and the next alert is taken."""

    async def main() -> None:
        async with running_house(house_config(tmp_path), step_ns=STEP_NS) as house:
            port = house.actor("/operators/webhook").port
            path = house.url.partition(str(port))[2].encode()
            for raw in RAW_REQUESTS:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(raw.replace(b"{path}", path))
                writer.write_eof()
                async with asyncio.timeout(10):
                    answer = await reader.read()
                assert not answer or answer.split(b" ")[1][:1] == b"4", answer[:200]
                writer.close()
                await writer.wait_closed()
            document = alert_document("BTC/USDT", Decimal(60_000), "t1", WallClock().now())
            assert (await house.post(json.dumps(document).encode()))[0] == 200
            await eventually(lambda: house.groups(), "a group opens")
            check_unmoved(house)

    asyncio.run(main())
