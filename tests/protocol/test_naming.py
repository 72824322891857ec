"""One naming of legs wherever a person reads, and both ways of writing it taken."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.groups.naming import leg_id_of, leg_name, scope_name

_NUMBERS = st.integers(0, 99)


@given(_NUMBERS, _NUMBERS)
def test_a_leg_is_read_by_its_layer_within_its_pyramid_and_written_either_way(pyramid: int, layer: int) -> None:
    """``p0.l2`` is read ``P0 DCA2``; what is read can be typed, in any case, and means the same leg (EX-1613)."""
    ident, name = f"p{pyramid}.l{layer}", f"P{pyramid} DCA{layer}"
    assert leg_name(ident) == name
    for written in (ident, name, name.lower(), name.replace(" ", ""), f" {ident.upper()} "):
        assert leg_id_of(written) == ident
    assert leg_id_of(leg_name(f"p{pyramid}")) == f"p{pyramid}"


def test_what_is_no_leg_stays_as_it_is_and_scopes_are_named() -> None:
    """Other words are not touched; a scope is the group, a pyramid or a leg by its name."""
    for other in ("all", "", "group", "p0.x1"):
        assert (leg_name(other), leg_id_of(other)) == (other, other)
    assert [scope_name(each) for each in ("group", "partial", "pyramid:1", "leg:p0.l2")] == [
        "group",
        "partial",
        "pyramid 1",
        "P0 DCA2",
    ]
