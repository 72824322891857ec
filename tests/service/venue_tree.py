"""One paper account and the API beside it, as the house builds them: what the tests of venues run against."""

from __future__ import annotations

from functools import partial
from typing import Any

from actors.desk import OrderDesk
from actors.paper_exchange import PaperExchange
from actors.precision import PrecisionCache, PrecisionSettings
from actors.reconciler import Reconciler
from actors.risk import RiskCoordinator
from actors.session import VenueSession
from service.api import ApiServer
from supervision.child import ChildSpec
from supervision.tree import supervisor
from tests.actors.orders import market
from tests.service.api_rig import Host
from venues.paper.adapter import PaperVenue
from venues.paper.config import PaperConfig
from venues.paper.engine import PaperEngine

__all__ = ["venue_tree"]


def venue_tree(host: Host) -> Any:
    """Return the tree."""
    base = "/venues/paper"
    venue = partial(PaperVenue, host.system, f"{base}/exchange")
    desk = partial(
        OrderDesk,
        account="paper",
        tag="test",
        session=f"{base}/session",
        reconciler=f"{base}/reconciler",
        risk="/risk/coordinator",
        groups="/nowhere",
        precision=f"{base}/precision",
    )
    engine = partial(PaperEngine, PaperConfig(), (market(),))
    session = partial(VenueSession, account="paper", venue=venue, desk=f"{base}/desk")
    names = {"account": "paper", "session": f"{base}/session"}
    account = supervisor(
        "paper",
        ChildSpec("exchange", partial(PaperExchange, account="paper", engine=engine)),
        ChildSpec("desk", desk),
        ChildSpec("session", session, edge=True),
        ChildSpec("reconciler", partial(Reconciler, **names, desk=f"{base}/desk", every_s=0)),
        ChildSpec("precision", partial(PrecisionCache, **names, settings=PrecisionSettings())),
        strategy="rest_for_one",
    )
    return supervisor(
        "root",
        supervisor("risk", ChildSpec("coordinator", partial(RiskCoordinator, ["paper"]))),
        supervisor("venues", account),
        supervisor("operators", ChildSpec("api", partial(ApiServer, host))),
    )
