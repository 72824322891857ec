"""Every address there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.api.table.acting import ACTING
from service.api.table.approving import APPROVING
from service.api.table.keeping import KEEPING
from service.api.table.looking import LOOKING
from service.api.table.routes import Route

__all__ = ["ROUTES", "TABLE"]

ROUTES: Final[tuple[Route, ...]] = (*LOOKING, *ACTING, *APPROVING, *KEEPING)

TABLE: Final[Mapping[tuple[str, str], Route]] = {(each.method, each.path): each for each in ROUTES}
