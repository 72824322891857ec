"""Write the reference page of the API from the table: ``python -m service.api.table.page FILE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from service.api.table.acting import ACTING
from service.api.table.approving import APPROVING
from service.api.table.keeping import KEEPING
from service.api.table.looking import LOOKING
from service.api.table.routes import Route

__all__ = ["api_page"]

_HEAD: Final = """\
# HTTP and WebSocket API

<!-- Written by `python -m service.api.table.page docs/reference/api.md` from the table of addresses. -->

The daemon serves these addresses on its Unix socket, whose file only its owner can open, and with `api.enabled` on
`api.host` and `api.port`. Over the network every request shows `Authorization: Bearer TOKEN` (a token of a program, or the
access token of a session), or the cookie of a browser session. `GET /v1/openapi.json` is the same as an OpenAPI 3.1 document
with every type. How to let people and programs in: [the network](../how-to/open-the-network.md).

- Answers are JSON; decimals are text, instants nanoseconds UTC. Errors are `{"code", "path", "message", "value"}`; what each
  code means: [errors](errors.md).
- A command with the header `X-Request-Id` (or `Idempotency-Key`) is done once, however often it is sent: the second answer
  is the first one, with `X-Request-Repeated: true`. `X-Reason` (percent-encoded) stands in the audit log.
- `metrics` reads figures, `read` looks, `trade` acts, `admin` also applies settings and lets others in; each holds those
  before it. A viewer has `read`, an operator `trade`, an admin `admin`. *Or read* marks commands that a reader may send as a
  preview or dry run.
"""

_STREAM: Final = """\
## The stream

`/v1/stream?after=POSITION` is a WebSocket. It says `{"kind": "hello", "head": N, "after": POSITION}`, sends every item after
that position of the journal, says `{"kind": "live", "position": N}`, and goes on with items as they are committed: none is
missing and none comes twice. Keep the highest `position` you have seen and come back with it. Without `after` it begins now.

| kind | what it is |
| --- | --- |
| `event` | a record of the journal; `event` holds it whole, `text` says it |
| `notification` | a record about notifications |
| `supervision` | a supervisor's report; `position` 0: it is in no journal |
| `dead_letter` | a message nobody handled; `position` 0 |
| `changed` | these groups look different now in the read models (`event.groups`); `severity=debug` |
| `lost` | you were too far behind: `count` records `after` one position `through` another were left out |
| `dropped` | you were slow: `count` items that are in no journal were left out; nothing of the journal is missing |

`bundle=1` sends several items a frame, as an array. A listener whose session ends is closed with code 1008.
"""


def api_page() -> str:
    """Return the page as Markdown."""
    areas = {"Looking": LOOKING, "Acting": ACTING, "Approvals": APPROVING, "Secrets and backups": KEEPING}
    tables = [line for title, routes in areas.items() for line in (f"## {title}\n", *_table(routes), "")]
    return "\n".join([_HEAD, *tables, _STREAM]).rstrip() + "\n"


def _table(routes: tuple[Route, ...]) -> Iterator[str]:
    yield "| address | scope | what it is for | takes | answers |"
    yield "| --- | --- | --- | --- | --- |"
    for each in routes:
        scope = (each.scope.value if each.scope is not None else "open") + (", or read" if each.dry is not None else "")
        query = ", ".join(f"`{given.name}`" for given in each.query)
        takes = f"`{_type(each.takes)}`" if each.takes is not None else query
        yield f"| `{each.method} {each.path}` | {scope} | {each.summary} | {takes} | {_answers(each)} |"


def _answers(route: Route) -> str:
    if route.kind == "stream":
        return "items, as a WebSocket"
    if route.kind in ("file", "text"):
        return f"a {route.kind}" if route.kind == "file" else "text"
    return f"`{_type(route.gives)}`"


def _type(of: Any) -> str:
    return str(of.__name__) if isinstance(of, type) and of is not dict and not hasattr(of, "__args__") else "object"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(api_page(), encoding="utf-8")
