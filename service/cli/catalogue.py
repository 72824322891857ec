"""The message types that can be sent, as the command line shows them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from service.cli.output import table
from service.message_types import MessageType, catalogue

__all__ = ["catalogue", "catalogue_view", "near_names", "type_view"]


def near_names(name: str, types: Mapping[str, MessageType]) -> str:
    """Return a hint at the names that were probably meant, empty when there are none."""
    near = difflib.get_close_matches(name, list(types), n=3, cutoff=0.5)
    return f"did you mean {', '.join(near)}?" if near else ""


def catalogue_view(types: Iterable[MessageType]) -> RenderableType:
    """Return the list of types with their fields in short."""
    return table(
        ("conversation", "type", "fields", "answer"),
        ((each.conversation, Text(each.name, style="bold"), _short(each), each.answer) for each in types),
    )


def _short(of: MessageType) -> str:
    return ", ".join(field.name if field.required else f"[{field.name}]" for field in of.fields)


def type_view(of: MessageType) -> RenderableType:
    """Return one type with every field."""
    rows = ((each.name, each.type, "required" if each.required else each.default) for each in of.fields)
    answer = f"\nanswered with {of.answer}" if of.answer else ""
    return Group(Text.assemble((of.name, "bold"), f": {of.purpose}{answer}"), table(("field", "type", "default"), rows))
