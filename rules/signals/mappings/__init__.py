"""Bodies that people already have, read as the payload of EX-202 through named mappings.

``recipe`` says what a mapping is, ``builtin`` holds those that come with the house, ``forms`` takes a body apart into
named fields, ``choice`` finds the mapping a body is meant for, ``reading`` fills the payload and notes where each value
came from. ``keys`` notices credentials of an exchange.

What must not live here: what a payload means. A mapping only names things; every rule of validation comes after it.
"""

from rules.signals.mappings.builtin import BUILTIN
from rules.signals.mappings.keys import api_key_in
from rules.signals.mappings.reading import Origin, Reading, explain_problem, read_body
from rules.signals.mappings.recipe import BULKHEAD, MAPPED_PATHS, Form, Mapping, extended

__all__ = [
    "BUILTIN",
    "BULKHEAD",
    "MAPPED_PATHS",
    "Form",
    "Mapping",
    "Origin",
    "Reading",
    "api_key_in",
    "explain_problem",
    "extended",
    "read_body",
]
