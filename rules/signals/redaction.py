"""What may be stored of a request: its body and headers without any secret (EX-252, EX-110).

Works on every body, also on one that is no JSON: then more is taken out rather than less.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from rules.signals.body import MalformedJson, parse_body

__all__ = [
    "MAX_HEADERS",
    "MAX_HEADER_LENGTH",
    "REDACTED",
    "redact_body",
    "redact_headers",
    "redact_known",
    "redact_text",
]

REDACTED: Final = "***"
MAX_HEADERS: Final = 64
MAX_HEADER_LENGTH: Final = 1024
_SHORTEST_KNOWN: Final = 8
"""Shorter texts are not taken out wherever they stand: they would occur by chance."""

_WORDS: Final = r"secret|passphrase|password|api[_-]?key|private[_-]?key"
_ROOTS: Final = ("secret", "passphrase", "password", "api", "private")
"""One of these is in every text that ``_WORDS`` matches, letters in either case; beyond ASCII there are more spellings."""

_NAMES_SECRET = re.compile(_WORDS, re.IGNORECASE)
_CREDENTIAL_HEADER = re.compile(rf"auth|cookie|signature|token|{_WORDS}", re.IGNORECASE)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_COLON = re.compile(r"\s*:\s*")
_BARE_VALUE = re.compile(r"[^,}\]\s]*")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
# A name, its quotes however escaped or doubled, a colon or equals sign, and the value up to its closing quote. A run of
# backslashes belongs to the value unless a quote follows it. No part can match the same text in two ways: linear time.
_LOOSE = re.compile(
    rf"""(?P<name>(?:{_WORDS})[\w-]{{0,64}}[\\"'`]*\s*[:=]\s*\\*)"""
    r"""(?:(?P<open>"+)(?:[^"\\]|\\+(?!["\\]))+|(?P<single>'+)(?:[^'\\]|\\+(?!['\\]))+|[^\s,;&}\])"'\\]+)""",
    re.IGNORECASE,
)

# What is a secret by its look: a credential of ours behind its id, a password in an address, the token of a bot in one.
_LOOKS = re.compile(
    r"""(?P<before>\bbh[aprc]_[a-z0-9]{12}_|://[^\s/:@"'<>{}\\,]*:|/bot\d{1,20}:)"""
    r"""(?:(?<=_)[\w.\-]{20,120}|(?<=:)[^\s/@"'<>{}\\,]+(?=@)|(?<=:)[\w\-]{20,80})"""
)


def redact_body(body: bytes, secrets: Iterable[str] = ()) -> str:
    """Return the body as text with the value of every field that names a secret replaced by ``***``.

    ``secrets`` (the configured ones, the user's token) are also replaced wherever else they stand. JSON stays JSON.
    Bytes that are not UTF-8 become replacement characters.
    """
    text = _redact_fields(body.decode("utf-8", "replace"))
    try:
        parse_body(body)
    except MalformedJson:
        text = _redact_loose(text)
    return redact_known(_redact_looks(text), secrets)


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return free text (an error, a header) without secrets, in a form that every encoder takes."""
    sane = text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
    loose = _redact_looks(_redact_loose(sane))
    return redact_known(loose, secrets) if secrets else loose


def redact_headers(
    headers: Mapping[str, str] | Iterable[tuple[str, str]], secrets: Iterable[str] = ()
) -> tuple[tuple[str, str], ...]:
    """Return the headers that carry no credential, values cut; at most ``MAX_HEADERS`` of them."""
    known = list(secrets)
    items = headers.items() if isinstance(headers, Mapping) else headers
    kept = [(name, value) for name, value in items if not _CREDENTIAL_HEADER.search(name)]
    return tuple(
        (redact_text(name, known)[:MAX_HEADER_LENGTH], redact_text(value, known)[:MAX_HEADER_LENGTH])
        for name, value in kept[:MAX_HEADERS]
    )


def _redact_fields(text: str) -> str:
    """Replace the value after each quoted name of a secret; look for further ones inside all other strings."""
    parts: list[str] = []
    done = seen = 0
    while (start := text.find('"', seen)) >= 0:
        literal = _STRING.match(text, start)
        if literal is None:
            break
        said, seen = literal[0], literal.end()
        if "\\" not in said and not _may_name_secret(said):
            continue  # nearly every one: it stays as it is, whatever stands after it
        parts.append(text[done:start])
        colon = _COLON.match(text, seen)
        if colon and _names_secret(_unescaped(said)):
            parts += [text[start : colon.end()], f'"{REDACTED}"']
            seen = _value_end(text, colon.end())
        else:
            parts.append(f'"{_redact_loose(said[1:-1])}"')
        done = seen
    return "".join(parts) + text[done:]


def _may_name_secret(text: str) -> bool:
    """Whether it is worth matching a pattern: nearly no text names a secret, and looking for words is much cheaper."""
    if not text.isascii():
        return True
    lower = text.lower()
    # A plain loop: asked for every string of every request, and a generator costs three times as much.
    for word in _ROOTS:  # noqa: SIM110 - see above
        if word in lower:
            return True
    return False


def _names_secret(name: str) -> bool:
    return _may_name_secret(name) and bool(_NAMES_SECRET.search(name))


def _unescaped(literal: str) -> str:
    if "\\" not in literal:
        return literal[1:-1]
    try:
        return str(json.loads(literal, strict=False))
    except ValueError:
        return literal


def _value_end(text: str, start: int) -> int:
    """Return where the value at ``start`` ends; the end of the text when it never does."""
    if text[start : start + 1] == '"':
        literal = _STRING.match(text, start)
        return literal.end() if literal else len(text)
    if text[start : start + 1] not in ("{", "["):
        bare = _BARE_VALUE.match(text, start)
        return bare.end() if bare else len(text)
    depth = 0
    for found in _BRACKETS.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return len(text)


def _redact_loose(text: str) -> str:
    if not _may_name_secret(text):
        return text
    return _LOOSE.sub(lambda found: f"{found['name']}{found['open'] or found['single'] or ''}{REDACTED}", text)


def _redact_looks(text: str) -> str:
    return _LOOKS.sub(rf"\g<before>{REDACTED}", text) if "://" in text or "bh" in text else text


def redact_known(text: str, secrets: Iterable[str]) -> str:
    """Return text without these secrets and otherwise as it is: for ids, of which no two may become one."""
    for spelling in _spellings(tuple(secrets)):
        if spelling in text:
            text = text.replace(spelling, REDACTED)
    return text


@lru_cache(maxsize=16)
def _spellings(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return how secrets may be written, longest first; the same few secrets are asked for with every request."""
    found = set()
    for secret in secrets:
        if len(secret) >= _SHORTEST_KNOWN:
            found |= {
                secret,
                json.dumps(secret)[1:-1],
                json.dumps(secret, ensure_ascii=False)[1:-1],
                quote(secret, safe=""),
            }
    return tuple(sorted(found, key=lambda each: (-len(each), each)))
