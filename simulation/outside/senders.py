"""Who posts alerts: as TradingView does, an answer of 5xx or none at all is tried again a few times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.webhook import hand_over
from protocol.webhook import WebhookRequest
from service.house import GATEWAY
from simulation.inside.life import Life
from simulation.invariant import Answered
from simulation.scenario import Post

if TYPE_CHECKING:
    from simulation.run import Run

__all__ = ["Senders"]

_TRIES: Final = 4
_AGAIN_S: Final = (5.0, 10.0)
_SERVER_ERROR: Final = 500


class Senders:
    """Posts alerts, and keeps what they were answered in the run's ``answered``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def post(self, post: Post, tries: int = 0) -> None:
        """Post an alert; nobody there is tried again as well."""
        if not self._run.in_process(lambda life: self._ask(life, post, tries)):
            self._answered(post, 0, tries)

    async def _ask(self, life: Life, post: Post, tries: int) -> None:
        run = self._run
        assert life.system is not None and life.active is not None  # noqa: PT018 - it is up
        # The answer may be lost with the process: then the sender sees a broken connection.
        number = len(run.answered)
        run.answered.append(Answered(run.now, post.body, 0, None))
        request = WebhookRequest(life.active.config.webhook.user, "203.0.113.9", (), post.body.encode())
        said, _ = await hand_over(life.system, GATEWAY, request)
        run.answered[number] = Answered(run.now, post.body, said.status, said)
        run.verdict.counts["alerts"] += 1
        run.note("alert", f"{said.status} {said.outcome}: {post.body[:200]}")
        if said.status >= _SERVER_ERROR:
            self._again(post, tries)

    def _answered(self, post: Post, status: int, tries: int) -> None:
        self._run.answered.append(Answered(self._run.now, post.body, status, None))
        self._again(post, tries)

    def _again(self, post: Post, tries: int) -> None:
        if tries + 1 < _TRIES:
            wait = self._run.weather.between(*_AGAIN_S)
            self._run.agenda.after(wait, lambda: self.post(post, tries + 1))
