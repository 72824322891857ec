"""The cockpit in a real browser, before a whole daemon: log in, look, press keys, be shut out."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from protocol.event_log import OperatorActed
from service.api.gate import COOKIE
from tests.house.sources import ROOT
from tests.service.access.test_door import certificate
from tests.system.process import DaemonProcess, daemon_in

playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser: install the dev extras")

CHROMIUM: Final = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.slow(seconds=20),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not here: apt install chromium"),
]

ARGUMENTS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PASSWORD: Final = "correct horse battery"
WITHIN_S: Final = 30.0
_ESCAPES: Final = re.compile(r"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|.)")


class Watched:
    """A page, what it asked for, and what its terminal was sent."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.lines = 0
        self._drawn: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("websocket", self._line)

    def _line(self, line: Any) -> None:
        self.lines += 1
        self.asked.append(line.url)
        line.on("framereceived", self._frame)

    def _frame(self, payload: Any) -> None:
        self._drawn.append(payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload)

    @property
    def text(self) -> str:
        """Return what the terminal was sent, without colours and places."""
        return _ESCAPES.sub("", "".join(self._drawn))

    def forget(self) -> None:
        """Look only at what is drawn from now on."""
        self._drawn.clear()

    def until(self, so: Callable[[], object], what: str) -> None:
        """Wait until something is so."""
        for _ in range(int(WITHIN_S * 20)):
            if so():
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"not within {WITHIN_S:g} s: {what}\n{self.page.url}\n{self.text[-1500:]}")

    def sees(self, words: str) -> None:
        """Wait until the terminal was sent words."""
        self.until(lambda: words in self.text, f"{words!r} in the terminal")

    def login(self, name: str, password: str = PASSWORD) -> None:
        """Fill in the form and send it."""
        self.page.fill("#name", name)
        self.page.fill("#password", password)
        self.page.click("button[type=submit]")

    def said(self) -> str:
        """Return what the login page says is wrong."""
        return str(self.page.inner_text("[role=alert]"))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    with daemon_in(tmp_path_factory.mktemp("browser")) as found:
        found.up()
        for name, role in (("ada", "operator"), ("vic", "viewer"), ("eve", "viewer")):
            found.client.post("/v1/people", {"name": name, "role": role, "password": PASSWORD})
        yield found


@contextmanager
def serving(daemon: DaemonProcess, **more: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve the cockpit; yield its URL. ``more`` is in its environment."""
    command = [sys.executable, "-m", "service.cli", "cockpit", "--serve", "--port", "0", "--config", str(daemon.file)]
    environment = {**daemon.environment, "XDG_STATE_HOME": str(daemon.folder / "state"), **more}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], WITHIN_S)[0], "it does not say where it listens"
            found = re.search(r"https?://\S+", process.stdout.readline())
            assert found is not None
            yield found[0], process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(WITHIN_S)


@pytest.fixture(scope="module")
def served(daemon: DaemonProcess) -> Iterator[str]:
    with serving(daemon) as (url, _):
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield found
        found.close()


@contextmanager
def looking(browser: Any, url: str, **more: Any) -> Iterator[Watched]:
    """Open a page in a window of its own, without anybody's cookies."""
    context = browser.new_context(viewport={"width": 1200, "height": 720}, **more)
    try:
        watched = Watched(context.new_page())
        watched.page.goto(url)
        yield watched
    finally:
        context.close()


def cockpits() -> list[psutil.Process]:
    """Return the processes that draw for browsers of this test run."""
    mine = psutil.Process(os.getpid()).children(recursive=True)
    return [each for each in mine if "service.browser.child" in " ".join(each.cmdline())]


def test_an_operator_sees_the_cockpit_and_steers_it(served: str, daemon: DaemonProcess, browser: Any) -> None:
    """Behind the login the dashboard is drawn, keys and commands reach the daemon in the operator's name (EX-1601).

    Nothing is asked of any other machine, the letters have the configured size, and the cockpit ends with its page.
    """
    with looking(browser, served) as seen:
        assert seen.page.url.endswith("/login")
        seen.login("ada")
        seen.sees("Dashboard")
        seen.sees("RUNNING")
        assert seen.page.get_attribute("#terminal", "data-font-size") == "14"
        assert "ada (operator)" in seen.page.inner_text("#bar")
        seen.forget()
        seen.page.keyboard.press("2")
        seen.sees("groups")
        seen.page.keyboard.press(":")
        seen.sees("Tab completes")  # a person looks where the words go before writing them
        seen.page.keyboard.type("pause lunch")
        seen.sees("lunch")
        seen.page.keyboard.press("Enter")
        seen.sees("Stop new entries?")
        seen.page.keyboard.press("y")
        seen.until(lambda: daemon.status()["engine"]["status"] == "paused", "the engine is paused")
        seen.until(lambda: named(daemon, "ada", "pause"), "the audit log names who it was")
        daemon.client.post("/v1/resume")
        assert seen.wrong == []
        assert {re.sub(r"^ws", "http", each).split("/")[2] for each in seen.asked} == {served.split("/")[2]}
        cookie = next(each for each in seen.page.context.cookies() if each["name"] == COOKIE)
        assert cookie["httpOnly"]
        assert cookie["secure"]
        assert cookie["sameSite"] == "Strict"
        drawing = cockpits()
        assert len(drawing) == 1
        shown = [*drawing[0].cmdline(), *drawing[0].environ().values()]
        assert not any("bhc_" in part for part in shown), "a token in the list of processes"
    psutil.wait_procs(drawing, WITHIN_S)
    assert cockpits() == []


def test_a_phone_shows_eighty_columns(served: str, browser: Any) -> None:
    """A narrow window has smaller letters: lines are whole, down to letters of 8 pixels (EX-1604).

    A reload in the middle of a form ends that cockpit and begins another; nothing that was not kept is in the draft.
    """
    with looking(browser, served, is_mobile=True, has_touch=True) as seen:
        seen.page.set_viewport_size({"width": 390, "height": 844})
        seen.login("ada")
        seen.sees("0 Acto")
        assert seen.page.get_attribute("#terminal", "data-font-size") == "8"
        first = cockpits()
        seen.page.keyboard.press("6")
        seen.sees("Storage and backup")
        seen.page.keyboard.type(":set ui.theme light")
        seen.sees("ui.theme light")
        seen.forget()
        seen.page.reload()
        seen.sees("0 Acto")
        psutil.wait_procs(first, WITHIN_S)
        assert len(cockpits()) == 1
        seen.page.keyboard.press("6")
        seen.sees("no draft")


def named(daemon: DaemonProcess, *words: str) -> bool:
    """Tell whether one event of the log has all words."""
    events = daemon.client.get("/v1/log", limit=50)["events"]
    return any(all(word in str(event) for word in words) for event in events)


def test_a_viewer_looks_only(served: str, daemon: DaemonProcess, browser: Any) -> None:
    """A viewer's cockpit has a viewer's rights, although its socket would allow everything (EX-1505)."""
    with looking(browser, served) as seen:
        seen.login("vic")
        seen.sees("Dashboard")
        seen.page.keyboard.type(":pause mischief")
        seen.page.keyboard.press("Enter")
        seen.sees("read only")
        assert "mischief" not in str(daemon.client.get("/v1/log", limit=200))


def test_a_session_that_has_ended_is_sent_to_the_login(served: str, browser: Any) -> None:
    """A session that ends anywhere ends its screens and shows the login again; its cookie opens nothing more (EX-1507)."""
    with looking(browser, served) as seen:
        seen.login("ada")
        seen.sees("Dashboard")
        kept = seen.page.context.cookies()
        other = seen.page.context.new_page()
        other.goto(served)
        other.click("#bar button")
        other.wait_for_url("**/login")
        seen.page.wait_for_url("**/login?ended=1")
        assert "Log in again" in seen.said()
        seen.page.context.add_cookies(kept)
        seen.page.goto(served)
        assert "/login" in seen.page.url


# --- over TLS ----------------------------------------------------------------------------------------------------------

KEYS: Final = (
    *"abcdefghijklmnoprstuvwxyzABCDEFGHIJKLMNOPRSTUVWXYZ0123456789+-*/=.,;!?@#$%&<>[]{}()",
    *("Enter", "Space", "Delete", "Backspace", "Insert", "Tab", "Escape"),
    *(f"F{number}" for number in range(2, 13)),
    *("Control+s", "Control+r", "Control+d", "Control+o", "Control+t", "Control+k", "Alt+Enter"),
)
"""Every key a hand may fall on but those that leave."""

POLICY: Final = ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "connect-src 'self'")
SET: Final = dict(
    zip(
        ("x-frame-options", "x-content-type-options", "cache-control", "server"),
        ("DENY", "nosniff", "no-store", "bulkhead"),
        strict=True,
    )
)


@pytest.fixture(scope="module")
def encrypted(daemon: DaemonProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    chain, key = certificate(tmp_path_factory.mktemp("tls"))
    tls = {"BULKHEAD_API__TLS_CERT": str(chain), "BULKHEAD_API__TLS_KEY": str(key)}
    with serving(daemon, **tls) as (url, _):
        yield url


def test_two_people_at_once_over_tls(encrypted: str, daemon: DaemonProcess, browser: Any) -> None:
    """Each has their own rights, whatever keys are pressed; cookies, headers and addresses are as they must be (EX-1505).

    The certificate is one that nobody has signed; what a browser makes of that is the person's to say.
    """
    assert encrypted.startswith("https://")
    host = encrypted.split("/")[2]
    with (
        looking(browser, encrypted, ignore_https_errors=True) as ada,
        looking(browser, encrypted, ignore_https_errors=True) as vic,
    ):
        for seen, name in ((ada, "ada"), (vic, "vic")):
            seen.login(name)
            seen.sees("Dashboard")
            seen.sees("RUNNING")
        assert "ada (operator)" in ada.page.inner_text("#bar")
        assert "vic (viewer: looks only)" in vic.page.inner_text("#bar")
        _is_shut_to_others(vic, host)
        for key in KEYS:
            vic.page.keyboard.press(key)
        vic.page.keyboard.press("Escape")
        vic.page.keyboard.press("Escape")
        ada.page.keyboard.type(":pause tea")
        ada.page.keyboard.press("Enter")
        ada.sees("Stop new entries?")
        ada.page.keyboard.press("y")
        ada.until(lambda: daemon.status()["engine"]["status"] == "paused", "the engine is paused")
        daemon.client.post("/v1/resume")
        assert acted(daemon, "vic") <= {"refused: NotAllowed"}
        assert ada.wrong == vic.wrong == []
        for seen in (ada, vic):
            assert {each.partition("://")[0] for each in seen.asked} == {"https", "wss"}
            assert {each.split("/")[2] for each in seen.asked} == {host}
        vic.page.click("#bar button")
        vic.page.wait_for_url("**/login")
        assert vic.page.context.cookies() == []
        assert "Dashboard" in ada.text


def _is_shut_to_others(seen: Watched, host: str) -> None:
    """Look at what the browser holds and at what a page of somebody else can do with it."""
    (cookie,) = seen.page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (COOKIE, True, True, "Strict")
    assert 12 * 3600 - 120 < cookie["expires"] - seen.page.evaluate("Date.now() / 1000") <= 12 * 3600
    assert seen.page.evaluate("document.cookie") == ""
    assert "bhc_" not in seen.page.content()
    answer = seen.page.context.request.get(f"https://{host}/session")
    headers = answer.headers
    assert headers["strict-transport-security"].startswith("max-age=")
    assert all(each in headers["content-security-policy"] for each in POLICY)
    assert {name: headers[name] for name in SET} == SET
    other = seen.page.context.new_page()
    other.route("https://evil.example/*", lambda route: route.fulfill(body=_EVIL % host, content_type="text/html"))
    other.goto("https://evil.example/")
    other.wait_for_function("window.line !== undefined && window.framed !== undefined")
    assert other.evaluate("window.line") == "refused"
    assert other.frames[1].url.startswith("chrome-error:")
    other.close()


_EVIL: Final = """<iframe src="https://%s/" onload="window.framed = true"></iframe><script>
const line = new WebSocket(document.querySelector("iframe").src.replace("https", "wss") + "ws");
line.onopen = () => { window.line = "open"; };
line.onerror = () => { window.line = "refused"; };
</script>"""
"""A page of somebody else that frames the cockpit and asks for its line; the browser has the cookie."""


def acted(daemon: DaemonProcess, name: str) -> set[str]:
    """Return what came of a person's commands."""
    events = [each.event for each in daemon.records() if isinstance(each.event, OperatorActed)]
    return {each.outcome for each in events if each.operator == name and "/v1/logout" not in each.command}


# --- guessing: last, because it locks everybody here out ------------------------------------------------------------------


def test_guessing_locks(served: str, browser: Any) -> None:
    """A wrong password is told apart from nothing, the fifth locks, and then the right one is refused too (EX-1507)."""
    with looking(browser, served, color_scheme="light") as seen:
        for _ in range(5):
            seen.login("eve", "wrong password")
            assert "Name or password is wrong. [LoginFailed]" in seen.said()
            assert seen.page.input_value("#name") == "eve"
        seen.login("eve")
        assert "locked for another" in seen.said()
        assert "[LockedOut]" in seen.said()
        assert seen.page.context.cookies() == []
