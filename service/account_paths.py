"""Where the actors of one account live."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AccountPaths"]


@dataclass(frozen=True, slots=True)
class AccountPaths:
    """Where the actors of one account live; ``outside``: it trades at an adapter of its own, not at a paper exchange."""

    account: str
    outside: bool = False

    @property
    def base(self) -> str:
        """The account's supervisor."""
        return f"/venues/{self.account}"

    @property
    def exchange(self) -> str:
        """The paper exchange."""
        return f"{self.base}/exchange"

    @property
    def desk(self) -> str:
        """The order desk."""
        return f"{self.base}/desk"

    @property
    def session(self) -> str:
        """The venue session."""
        return f"{self.base}/session"

    @property
    def feed(self) -> str:
        """The market feed."""
        return f"{self.base}/feed"

    @property
    def reconciler(self) -> str:
        """The reconciler."""
        return f"{self.base}/reconciler"

    @property
    def prices(self) -> str:
        """Who says the newest price of a market."""
        return self.session if self.outside else self.exchange

    @property
    def market(self) -> str:
        """Who delivers a market's prices when asked to."""
        return self.session if self.outside else self.feed

    @property
    def precision(self) -> str:
        """The cache of trading rules."""
        return f"{self.base}/precision"

    @property
    def chains(self) -> str:
        """Who keeps the option chains, where the venue has any."""
        return f"{self.base}/chains"

    @property
    def brackets(self) -> str:
        """The guard of entries with stop and target; only an account that trades outside has one."""
        return f"{self.base}/brackets"

    @property
    def pool(self) -> str:
        """The pool."""
        return f"/risk/pool-{self.account}"

    @property
    def offset(self) -> str:
        """The loss offset."""
        return f"/risk/offset-{self.account}"

    @property
    def adopter(self) -> str:
        """Who makes groups of positions that were opened by hand."""
        return f"/risk/adopter-{self.account}"

    @property
    def groups(self) -> str:
        """The supervisor of the account's groups."""
        return f"/trading/groups/{self.account}"
