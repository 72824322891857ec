"""Import the one exchange of ccxt that is used, without the hundred others.

``import ccxt.pro`` runs package modules that import every exchange class. Here the three packages are put in place
unexecuted, the few names that the one exchange needs are set, and any other attribute runs the real package module on
first use, so that the rest of the process still finds all of ccxt. Measured with ccxt 4.5.90 on CPython 3.11, two
cores, median of five: 0.36 s and 54 MB resident against 0.53 s and 109 MB (aiohttp alone: 0.17 s, 34 MB).
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any, NamedTuple

__all__ = ["Library", "load"]

_PACKAGES = ("ccxt", "ccxt.async_support", "ccxt.pro")


class Library(NamedTuple):
    """What is used of ccxt: the exchange class with streams, and the module of its errors."""

    binance: type[Any]
    errors: ModuleType


def load() -> Library:
    """Return ``ccxt.pro.binance``, importing as little of ccxt as works. Blocks for a quarter of a second.

    Raises ``ImportError`` when ccxt is not installed.
    """
    if "ccxt" in sys.modules:
        return _import_pro()
    try:
        return _import_lightly()
    except (ImportError, AttributeError):
        # Another layout of ccxt than the known one: import it the ordinary way, at the ordinary price.
        for name in [name for name in sys.modules if name == "ccxt" or name.startswith("ccxt.")]:
            del sys.modules[name]
        return _import_pro()


def _import_pro() -> Library:
    return Library(_class_of("ccxt.pro.binance"), importlib.import_module("ccxt.base.errors"))


def _class_of(path: str) -> type[Any]:
    module = importlib.import_module(path)
    found: type[Any] = module.binance
    return found


def _import_lightly() -> Library:
    root = _unexecuted("ccxt")
    errors = importlib.import_module("ccxt.base.errors")
    for name in errors.__all__:
        if hasattr(errors, name):
            setattr(root, name, getattr(errors, name))
    root.Exchange = importlib.import_module("ccxt.base.exchange").Exchange  # type: ignore[attr-defined]
    support = _unexecuted("ccxt.async_support")
    root.async_support = support  # type: ignore[attr-defined]
    support.binance = _class_of("ccxt.async_support.binance")  # type: ignore[attr-defined]
    pro = _unexecuted("ccxt.pro")
    root.pro = pro  # type: ignore[attr-defined]
    pro.binance = _class_of("ccxt.pro.binance")  # type: ignore[attr-defined]
    return _import_pro()


def _unexecuted(name: str) -> ModuleType:
    """Register a package whose own code runs when an attribute is asked for that it does not have yet."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} is not installed")
    module, loader = importlib.util.module_from_spec(spec), spec.loader

    def run_package(attribute: str) -> Any:
        if attribute.startswith("__") and attribute not in ("__version__", "__all__"):
            raise AttributeError(attribute)
        del module.__dict__["__getattr__"]
        loader.exec_module(module)
        return getattr(module, attribute)

    module.__dict__["__getattr__"] = run_package
    sys.modules[name] = module
    return module
