"""The login: live session token, brokerage session, account, and the heartbeat that keeps them (PF-236 to PF-238)."""

from __future__ import annotations

from typing import Any, Final

from runtime.clock import NANOS
from venues.access import Access, Tools
from venues.errors import AuthFailed, NetworkTimeout, VenueDown
from venues.ibkr.errors import CompetingSession
from venues.ibkr.login import check_account
from venues.ibkr_web.oauth import Keys, Signer
from venues.ibkr_web.wire import NOT_LOGGED_IN, SERVER, Answer, Wire, words

__all__ = ["Session"]

_EXCHANGE: Final = "oauth/live_session_token"
_RENEW_S: Final = 600
"""A token that ends so soon is not used any more."""
_TRIES: Final = 5
_ELSEWHERE: Final = "the same user is logged in elsewhere: log out there, or give this account a user of its own"
_OK: Final = 200


class Session:
    """One login. ``account`` is the broker's number of the account, ``cookie`` what opens the stream (never shown)."""

    def __init__(self, access: Access, tools: Tools, wire: Wire, signer: Signer | None) -> None:
        self._access = access
        self._tools = tools
        self._wire = wire
        self._signer = signer
        self._ends_at: int | None = None
        self.account = ""
        self.cookie = ""
        self.began_at = 0
        """When the brokerage session began as far as we know: its lists reach back no further."""

    @staticmethod
    def signer(access: Access, tools: Tools, offset: int) -> Signer | None:
        """Return what signs, None for a gateway that has logged in by itself. Reads files: call it in a thread."""
        if not access.key and not access.secret and access.url:
            return None
        return Signer(Keys.load(access), lambda: (tools.now() + offset) // NANOS)

    async def open(self) -> None:
        """Log in. Raises AuthFailed for keys that are refused, VenueDown for a gateway that nobody has logged in."""
        if self._signer is not None:
            await self._exchange(self._signer)
        await self._brokerage()
        told = await self._wire.ask("iserver/accounts")
        self.account = check_account(self._access, [str(each) for each in told["accounts"]])
        self.began_at = self._tools.now()
        await self.tickle()

    async def _exchange(self, signer: Signer) -> None:
        url, challenge = self._wire.base + _EXCHANGE, signer.challenge()
        venue = self._access.venue
        headers = {"Authorization": signer.for_token(url, challenge)}
        try:
            told: Answer = await self._wire.raw("POST", url, {}, headers, b"")
        except NetworkTimeout as error:
            raise VenueDown(venue, error.message) from error
        except VenueDown as error:
            if f"({NOT_LOGGED_IN})" in error.message:
                raise AuthFailed(venue, "consumer key, access token or signature refused") from error
            raise
        if told.status >= SERVER:
            raise VenueDown(venue, f"no live session token ({told.status})")
        if told.status != _OK:
            raise AuthFailed(venue, f"no live session token: {words(told.body)} ({told.status})")
        body = told.body
        if not signer.take(challenge, str(body["diffie_hellman_response"]), str(body["live_session_token_signature"])):
            raise AuthFailed(venue, "the live session token does not fit its proof: are the keys those of this token?")
        self._ends_at = int(body["live_session_token_expiration"]) * 1_000_000

    async def _brokerage(self) -> None:
        """Open the brokerage session; takes over from another login of the user, as the broker's own examples do."""
        told = await self._wire.ask("iserver/auth/ssodh/init", method="POST", body={"publish": True, "compete": True})
        for _ in range(_TRIES):
            if told.get("authenticated") and not told.get("competing"):
                return
            await self._tools.sleep(1.0)
            told = await self._wire.ask("iserver/auth/status", method="POST")
        self._judge(told)

    def _judge(self, told: dict[str, Any]) -> None:
        """Raise what a status that is no login means."""
        if told.get("competing"):
            raise CompetingSession(self._access.venue, _ELSEWHERE)
        if not told.get("authenticated"):
            why = str(told.get("fail") or told.get("message") or "log in at the gateway")
            raise VenueDown(self._access.venue, f"there is no brokerage session: {why}")

    @property
    def ends_soon(self) -> bool:
        """Whether its token is about to end: a new connection asks for another."""
        return self._ends_at is not None and self._tools.now() + _RENEW_S * NANOS > self._ends_at

    async def tickle(self) -> None:
        """Keep the session; raises VenueDown when there is none any more."""
        told = await self._wire.ask("tickle", method="POST")
        self._judge(told["iserver"]["authStatus"])
        self.cookie = str(told.get("session", ""))
