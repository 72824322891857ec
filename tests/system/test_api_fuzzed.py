"""What schemathesis makes of the OpenAPI document is answered without a failure, in the shapes that it promises."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from service.api.described import document
from service.api.table.everything import ROUTES
from tests.system.process import CONFIG, daemon_in

with warnings.catch_warnings():
    # What its own dependencies do is theirs; here a warning is an error.
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.core.failures import FailureGroup
    from schemathesis.core.result import Ok
    from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

pytestmark = pytest.mark.slow

EXAMPLES: Final = 2
NETWORK: Final = """
[api]
enabled = true
port = 0
requests_per_minute = 1000000
"""
ASIDE: Final = ("/v1/stop", "/v1/logout", "/v1/refresh", "/v1/login")
"""They end the daemon or the session, or lock the address that everybody here comes from."""

CHECKS: Final = [not_a_server_error, response_schema_conformance, status_code_conformance]


def operations() -> list[Any]:
    """Return what can be asked and answered at once."""
    found: dict[str, Any] = document("1", ROUTES)
    for path in list(found["paths"]):
        kinds = [each["responses"] for each in found["paths"][path].values()]
        files = any("application/octet-stream" in str(each) for each in kinds)
        if path in ASIDE or files or any("101" in each for each in kinds):
            del found["paths"][path]
    schema = schemathesis.openapi.from_dict(found)
    return [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]


def test_no_request_makes_it_fail_and_every_answer_has_its_shape(tmp_path: Path) -> None:
    """Requests as the document allows them are answered below 500 and in the shapes it names, by a whole daemon."""
    asked = operations()
    assert len(asked) > 70
    with daemon_in(tmp_path, CONFIG + NETWORK) as daemon:
        daemon.up()
        token = daemon.client.post("/v1/tokens", {"name": "fuzz", "scope": "admin"})["token"]
        url = daemon.status()["api_url"]
        failures = [failure for operation in asked if (failure := tried(operation, url, token))]
        assert not failures, "\n\n".join(failures)
        assert daemon.status()["dead_letters"]["kept"] == 0


def tried(operation: Any, url: str, token: str) -> str:
    """Return what went wrong with an operation, empty when nothing did."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def each(case: Any) -> None:
        response = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=20)
        case.validate_response(response, checks=CHECKS)

    try:
        each()
    except FailureGroup as error:
        return f"{operation.method} {operation.path}: {error} {error.exceptions}"
    return ""
