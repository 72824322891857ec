"""A message as it is being written: texts of fields, what they come to, what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

__all__ = ["SIGNAL", "Draft", "Written", "field_hint", "problem_of", "value_of", "written"]

SIGNAL: Final = "signal"
"""Stands for an operator's signal in place of an actor's path (EX-260)."""


class Draft(NamedTuple):
    """The body that would be sent, and what is wrong, by field."""

    body: dict[str, Any]
    problems: dict[str, str]


class Written(NamedTuple):
    """A message as it stood on the form: to whom, of which type, the texts of its fields."""

    to: str
    type_name: str
    texts: Mapping[str, str]


def field_hint(field: Mapping[str, Any]) -> str:
    """Return what a field takes, in words."""
    kind = str(field["type"]).removesuffix(" or null")
    if field["choices"]:
        kind = " | ".join(field["choices"])
    if field["required"]:
        return f"{kind}, required"
    default = str(field["default"])
    return kind if default in ("", '""', "None") else f"{kind}, else {default}"


def value_of(field: Mapping[str, Any], text: str) -> Any:
    """Return what a text comes to in JSON; raise ValueError with the reason when it is no such thing."""
    kind = str(field["type"])
    arms = [arm.strip() for arm in kind.split(" or ")]
    if "null" in arms and text == "null":
        return None
    if field["choices"] and kind != "true or false":
        if text not in field["choices"]:
            raise ValueError(f"is one of {', '.join(field['choices'])}")
        return text
    if kind.startswith("true or false"):
        if text not in ("true", "false"):
            raise ValueError("is true or false")
        return text == "true"
    if "whole number" in arms:
        try:
            return int(text)
        except ValueError:
            raise ValueError("is a whole number") from None
    if "decimal" in arms:
        try:
            if not Decimal(text).is_finite():
                raise InvalidOperation
        except InvalidOperation:
            raise ValueError("is a number") from None
        return text  # as text: no digit is lost on its way through a float
    if "text" in arms:
        return text
    return _parsed(text, kind)


def _parsed(text: str, kind: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError(f"is JSON: {kind}") from None


def problem_of(field: Mapping[str, Any], text: str) -> str:
    """Return what is wrong with a field's text, empty when nothing is."""
    if not text:
        return "must be given" if field["required"] else ""
    try:
        value_of(field, text)
    except ValueError as error:
        return str(error)
    return ""


def written(name: str, fields: Sequence[Mapping[str, Any]], texts: Mapping[str, str], *, tagged: bool) -> Draft:
    """Return the message that texts of fields come to; ``tagged`` puts its type's name in, as a path's message has it."""
    body: dict[str, Any] = {"type": name} if tagged else {}
    problems: dict[str, str] = {}
    for field in fields:
        key = str(field["name"])
        text = texts.get(key, "").strip()
        if problem := problem_of(field, text):
            problems[key] = problem
        elif text:
            body[key] = value_of(field, text)
    return Draft(body, problems)
