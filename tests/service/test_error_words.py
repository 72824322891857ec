"""Codes and what to do about them: the book knows each one that the product can produce, and each is produced in a test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from protocol.errors import BulkheadError, ValidationError
from service.advice import ADVICE, AREAS, advice_of
from service.advice.page import errors_page
from service.api.client import DaemonRefused
from service.cli.failures import failure_of
from tests.house.sources import ROOT, room_sources, sources_of_tests

ROOMS: Final = ("protocol", "runtime", "supervision", "rules", "store", "venues", "market", "actors", "service")
SHAPE: Final = re.compile(r"(?:[A-Z][a-z]+){2,}")

NO_CODES: Final = {
    **dict.fromkeys(("AuthenticationError", "BaseError", "InvalidOrder", "OperationFailed"), "a class of ccxt"),
    **dict.fromkeys(("RateLimitExceeded", "RequestTimeout", "RestrictedLocation"), "a class of ccxt"),
    **dict.fromkeys(("AccountNotEnabled", "AccountSuspended", "DuplicateOrderId", "ExchangeError"), "a class of ccxt"),
    **dict.fromkeys(("ExchangeNotAvailable", "InvalidNonce", "MarketClosed"), "a class of ccxt"),
    **dict.fromkeys(
        ("AdlTrade", "BustTrade", "ContractTrade", "PartiallyFilled", "PartiallyFilledCanceled"), "a word of Bybit's"
    ),
    **dict.fromkeys(
        ("ApiCancelled", "ApiPending", "PendingCancel", "PendingSubmit", "PreSubmitted"), "a word of IBKR's"
    ),
    **dict.fromkeys(("AvailableFunds", "CashBalance", "DayTradesRemaining", "MaintMarginReq"), "a word of IBKR's"),
    **dict.fromkeys(("NetLiquidation", "TotalCashValue"), "a word of IBKR's"),
    **dict.fromkeys(("AddRate", "CrossRate"), "ends of a word of Hyperliquid's"),
    **dict.fromkeys(("KuCoin", "TappedExchange"), "a name"),
    **dict.fromkeys(("MinNotional", "MinQty", "StepSize", "TickSize"), "the paper venue's own text"),
    **dict.fromkeys(("MappingProxyType", "OrderedDict", "PosixPath"), "a type of Python"),
    **dict.fromkeys(("InputsWritten", "SelfCheckEqual"), "good news"),
    "LogWritten": "a message",
    "NoneType": "a type of Python",
}
"""Literals that look like codes and are none, each with what it is."""

DEFECTS: Final = frozenset({"BulkheadError", "ValidationError", "CommandFailed"})
"""Roots that are never raised as themselves, or carry a code of their own."""


def codes_in(tree: ast.Module) -> Iterator[str]:
    """Yield the literals of a module that are written as codes are; names in ``__all__`` and annotations are none."""
    aside: set[int] = set()
    for node in ast.walk(tree):
        named = isinstance(node, ast.Assign) and any(getattr(each, "id", "") == "__all__" for each in node.targets)
        if named or (isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("TypeVar", "cast")):
            aside |= {id(each) for each in ast.walk(node)}
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            aside |= {id(each) for each in ast.walk(node.annotation)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in aside and isinstance(node.value, str):
            yield node.value


@cache
def literals() -> frozenset[str]:
    """Return every word of the product that is written as codes of two or more words are."""
    quoted = re.compile(r"[\"'](?:[A-Z][a-z]+){2,}[\"']")
    files = [each for each in room_sources() if each.room in ROOMS and "advice" not in each.path.split("/")]
    spoken = [each for each in files if any(quoted.search(line) for line in each.lines)]
    words = {word for each in spoken for word in codes_in(each.tree)}
    return frozenset(word for word in words if SHAPE.fullmatch(word))


def class_names() -> set[str]:
    """Return the names of all classes of the product: a literal that names one is a message or a setting."""
    opening = re.compile(r"\s*class (\w+)")
    lines = (line for each in room_sources() for line in each.lines)
    return {found[1] for line in lines if (found := opening.match(line))}


def test_each_code_of_the_product_has_an_advice() -> None:
    """A code that is written anywhere in the product stands in the book, with what to do (EX-110)."""
    unknown = literals() - set(ADVICE) - set(NO_CODES) - class_names()
    assert not unknown, f"add to service/advice what to do about: {', '.join(sorted(unknown))}"


def test_what_is_no_code_is_still_written_somewhere() -> None:
    """The list of look-alikes holds nothing that is gone."""
    assert set(NO_CODES) <= literals()


def test_each_code_is_met_in_a_test() -> None:
    """Each code that a person can read about is produced by a test elsewhere (EX-110)."""
    others = (each for each in sources_of_tests() if each.path != Path(__file__).relative_to(ROOT).as_posix())
    spoken = {word for each in others for line in each.lines for word in re.findall(r"\w+", line)}
    unmet = sorted(set(ADVICE) - spoken)
    assert not unmet, f"no test produces {', '.join(unmet)}"


def test_each_advice_says_what_to_do() -> None:
    """An advice is a sentence without a capital and without a full stop, and no code has two in one chapter."""
    for area in AREAS:
        codes = [code for word in area.words for code in word.codes]
        assert len(codes) == len(set(codes)), area.title
        for word in area.words:
            assert 10 < len(word.advice) <= 130, word
            assert not word.advice.endswith("."), word
            assert not word.advice[0].isupper(), word


def test_the_reference_page_is_the_book() -> None:
    """docs/reference/errors.md is what the book says now: `make generated` writes it."""
    assert (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8") == errors_page()


def test_the_command_line_says_what_to_do() -> None:
    """A refusal of the daemon and a value that is wrong come with the book's advice, unless the message names a command."""
    refused = DaemonRefused(409, {"code": "NoFreeSlot", "path": "id", "message": "10 of 10 slots are taken"})
    assert failure_of(refused)[0].advice == advice_of("NoFreeSlot")
    named = DaemonRefused(409, {"code": "NotQueued", "message": "no entry q9 waits; `bulkhead queue` lists them"})
    assert failure_of(named)[0].advice == ""
    wrong = ValidationError("tv.symbol", "has no quote", code="UnknownSymbol", value="BTC")
    assert failure_of(wrong)[0].advice == advice_of("UnknownSymbol")
    assert advice_of("NoSuchCode") == ""


def errors_of(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    """Yield the errors below one."""
    for each in kind.__subclasses__():
        yield each
        yield from errors_of(each)


def test_each_error_that_ends_a_command_is_explained() -> None:
    """An error of ours, or one above it in its tree, is in the book."""
    import service.api.answers
    import service.cli.commands
    import service.daemon  # noqa: F401 - its errors are to be known

    told = {each for each in errors_of(BulkheadError) if each.__module__.partition(".")[0] in ("store", "service")}
    shown = {
        each for each in told if not each.__module__.startswith("service.browser.")
    }  # those end a page, no command
    silent = [
        each.__name__
        for each in shown
        if each.__name__ not in DEFECTS and not any(advice_of(above.__name__) for above in each.__mro__)
    ]
    assert sorted(silent) == [
        "AccessRefused",
        "ConfigError",
        "DaemonNotRunning",
        "DaemonRefused",
        "DaemonTimeout",
        "Refused",
    ], "have codes of their own"
