"""Files of slow tests are known from their text, so that `make test-fast` need not import them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.conftest import SLOW_FILE
from tests.house.sources import Source, sources_of_tests


def marks(source: Source) -> Iterator[str]:
    """Yield what a file's tests and classes of tests are marked with, each on its own."""
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name.lower().startswith(
            "test"
        ):
            yield " ".join(map(ast.unparse, node.decorator_list))


def test_a_file_is_marked_slow_where_the_text_is_read_that_way() -> None:
    """No mark of a whole file is written so that it is overlooked, and nothing that is not one is taken for one."""
    for source in sources_of_tests():
        marked = any(
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "pytestmark"
            and ".slow" in ast.unparse(node.value)
            for node in source.tree.body
        )
        assert marked == (SLOW_FILE.search("\n".join(source.lines)) is not None), source.path


def test_where_every_test_is_slow_the_file_is() -> None:
    """No file is imported for tests that are not run; only regressions, which the simulator writes, mark each test."""
    found = [
        source.path
        for source in sources_of_tests()
        if (own := list(marks(source)))
        and all("mark.slow" in each for each in own)
        and "/regressions/" not in source.path
    ]
    assert found == []
