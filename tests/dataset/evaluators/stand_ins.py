"""Stand-ins for what a package imports for other benchmarks' sake and is not installed."""

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any


class _Any(type):
    """What can be done with a class that is stood in for."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Thing

    def __iter__(cls) -> Any:
        return iter(())

    def __getitem__(cls, key: Any) -> Any:
        return cls

    def __or__(cls, other: Any) -> Any:
        return cls

    __ror__ = __or__

    def keys(cls) -> Any:
        return ()


class _Thing(metaclass=_Any):
    """Whatever a stand-in is asked for: a class, a function, a decorator, an empty table."""

    def __init__(self, *arguments: Any, **named: Any) -> None: ...

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return arguments[0] if arguments else self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Thing

    def __iter__(self) -> Any:
        return iter(())

    def __getitem__(self, key: Any) -> Any:
        return self

    def keys(self) -> Any:
        return ()


class _StandIn(ModuleType):
    __path__: list[str] = []  # noqa: RUF012 - so that it counts as a package

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Thing


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes a module of nothing for an import by `package` that nothing else can serve.

    Other packages that ask whether a module is there are told the truth.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self.made: list[str] = []

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name.split(".")[0] in (self._package, *sys.stdlib_module_names):
            return None
        frame = sys._getframe(1)
        while frame is not None and "importlib" in frame.f_globals.get("__name__", ""):
            frame = frame.f_back
        asking = frame.f_globals.get("__name__", "") if frame else ""
        if asking.split(".")[0] != self._package:
            return None
        self.made.append(name)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None: ...


def stand_in_for(package: str) -> StandIns:
    """Serve the missing imports of a package from now on."""
    finder = StandIns(package)
    sys.meta_path.append(finder)
    return finder
