"""Public names are listed by hand, and the list is right."""

from __future__ import annotations

import ast

from tests.house.sources import Source, room_sources, sources_of_tests

ENTRY_POINTS = ("__main__.py",)


def listed(source: Source) -> set[str] | None:
    """Return the names in ``__all__``, None when there is none."""
    for node in source.tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and target.id == "__all__" and isinstance(value, ast.List | ast.Tuple):
            return {name.value for name in value.elts if isinstance(name, ast.Constant) and isinstance(name.value, str)}
    return None


def defined(source: Source) -> set[str]:
    """Return the public names a module defines itself; type variables and loggers are its own affair."""
    names: set[str] = set()
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign) and not is_own_affair(node.value):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return {name for name in names if not name.startswith("_")}


def is_own_affair(value: ast.expr) -> bool:
    """Tell whether a value is a type variable or a logger, which no other module is to use."""
    called = value.func if isinstance(value, ast.Call) else None
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    return name in {"TypeVar", "ParamSpec", "TypeVarTuple", "getLogger"}


def imported(source: Source) -> set[str]:
    """Return the names a module imports with ``from ... import``, also those under a condition or in a block."""
    conditional = [inner for node in source.tree.body if isinstance(node, ast.If | ast.With) for inner in node.body]
    found = [node for node in [*source.tree.body, *conditional] if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in found for alias in node.names}


def test_all_lists_the_public_names() -> None:
    """``__all__`` of a module names exactly the public names it defines, beside some it passes on."""
    wrong = []
    for source in room_sources():
        names, own = listed(source), defined(source)
        if names is None:
            if own and not source.path.endswith(ENTRY_POINTS):
                wrong.append(f"{source.path}: has no __all__")
            continue
        unknown = names - own - imported(source)
        wrong += [f"{source.path}: {name} is public but not in __all__" for name in sorted(own - names)]
        wrong += [f"{source.path}: {name} in __all__ does not exist" for name in sorted(unknown)]
    assert wrong == []


def test_packages_list_what_they_offer() -> None:
    """A package that imports names of its modules offers exactly these."""
    wrong = []
    for source in room_sources():
        if not source.path.endswith("__init__.py"):
            continue
        offered = {name for name in imported(source) - {"annotations", "TYPE_CHECKING"} if not name.startswith("_")}
        if offered and not offered <= (listed(source) or set()):
            wrong.append(f"{source.path}: {', '.join(sorted(offered - (listed(source) or set())))}")
    assert wrong == []


def test_every_test_says_what_it_requires() -> None:
    """A test's docstring is the requirement it checks."""
    silent = [
        f"{source.path}::{node.name}"
        for source in sources_of_tests()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []
