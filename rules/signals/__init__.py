"""Signal intake: who sent it, what it says, how old it is, whether it was seen before, what it asks for.

In the order of EX-250: ``authenticate``, ``parse_body``, ``interpret_payload`` (validation and classification),
``check_freshness``, ``DuplicateMemory``, ``build_signal``. Operators' commands enter at ``interpret_injected``. What is
stored of a request passes ``redact_body`` and ``redact_headers``.

What must not live here: routing, pool and position decisions; anything that knows which groups are live.
"""

from rules.notation import iso_ms
from rules.signals.authentication import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    AuthFailure,
    AuthMode,
    Proof,
    authenticate,
    sign,
)
from rules.signals.body import MalformedJson, parse_body
from rules.signals.classification import Classification, classify_signal
from rules.signals.duplicates import (
    DuplicateMemory,
    DuplicateWindows,
    Sighting,
    Target,
    Verdict,
    dedupe,
    fingerprint,
    sighting_of,
)
from rules.signals.extras import Extras, read_extras
from rules.signals.freshness import Freshness, check_freshness
from rules.signals.intake import Interpretation, build_signal, interpret_injected, interpret_payload, status_of
from rules.signals.reading import Clean
from rules.signals.redaction import redact_body, redact_headers, redact_known, redact_text
from rules.signals.times import parse_timestamp
from rules.signals.validation import PATHS, validate_payload

__all__ = [
    "PATHS",
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "AuthFailure",
    "AuthMode",
    "Classification",
    "Clean",
    "DuplicateMemory",
    "DuplicateWindows",
    "Extras",
    "Freshness",
    "Interpretation",
    "MalformedJson",
    "Proof",
    "Sighting",
    "Target",
    "Verdict",
    "authenticate",
    "build_signal",
    "check_freshness",
    "classify_signal",
    "dedupe",
    "fingerprint",
    "interpret_injected",
    "interpret_payload",
    "iso_ms",
    "parse_body",
    "parse_timestamp",
    "read_extras",
    "redact_body",
    "redact_headers",
    "redact_known",
    "redact_text",
    "sighting_of",
    "sign",
    "status_of",
    "validate_payload",
]
