"""What Python functions import before their own code, imported once by the spawner, for all forks of it.

A fork starts with the modules that a fresh interpreter has. When it imports one of the others it is given the one that
is there already, unless its package or a layer brings anything that an import here was looking for: then it imports
everything afresh, as it would have on AWS. Nothing of a function is ever run here. Standard library only.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType

CLIENT = ("awslambdaric.__main__", "awslambdaric.bootstrap", "awslambdaric.lambda_literals")
SDK = ("boto3", "boto3.session", "botocore.httpsession", "botocore.credentials", "botocore.endpoint", "encodings.idna")
OWN = ("cumulet", "spawner")


class Preloaded:
    """Finds modules that are imported already, in a fork, once it is in `sys.meta_path`."""

    def __init__(self, at_start: Iterable[str]) -> None:
        """`at_start` names the modules of a fresh interpreter."""
        self._at_start = set(at_start)
        self._groups: list[set[str]] = []
        """What each step has imported that the steps before it have not."""
        self._modules: dict[str, ModuleType] = {}
        self._wanted: set[str] = set()
        """Top-level names that imports have asked for."""

    def load(self, names: Iterable[str]) -> None:
        """Import modules in the spawner; those that aren't there are left out."""
        noticer = _Noticer(self._wanted)
        sys.meta_path.insert(0, noticer)
        for name in names:
            try:
                importlib.import_module(name)
            except ImportError:
                continue
        sys.meta_path.remove(noticer)
        group = set(sys.modules) - self._at_start.union(*self._groups)
        self._groups.append(group)
        self._wanted |= set(map(_top, group))

    def hide(self) -> None:
        """Forget, in a fork, what has been imported, until `offer`."""
        self._modules = {name: module for name, module in sys.modules.items() if name not in self._at_start}
        for name in self._modules:
            del sys.modules[name]

    def offer(self, folders: Iterable[str], is_client_fresh: bool) -> None:
        """Give those who import it what has been imported, unless one of these folders brings something else.

        `is_client_fresh` is to have the runtime interface client read its environment again.
        """
        brought = {_top(name) for folder in folders for name in _names(folder)}
        if brought & self._wanted:
            return
        dropped = (*OWN, "awslambdaric") if is_client_fresh else OWN
        self._modules = {name: module for name, module in self._modules.items() if _top(name) not in dropped}
        sys.meta_path.insert(0, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module that is there, as the import system asks for it."""
        module = self._modules.get(name)
        if module is None:
            return None
        self._give(name)
        sys.modules.pop(name, None)  # the import system puts it there
        return ModuleSpec(name, _Loader(module))

    def _give(self, name: str) -> None:
        """Make those modules importable that a fresh import of this one would have left behind."""
        top = _top(name)
        if top in sys.stdlib_module_names:
            given = {other for other in self._modules if _top(other) == top}
        else:
            number = next((n for n, group in enumerate(self._groups) if name in group), len(self._groups))
            given = set().union(*self._groups[: number + 1]) & self._modules.keys()
        for other in given:
            sys.modules[other] = self._modules.pop(other)


class _Loader(Loader):
    """Loads what is loaded."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return it."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Leave it as it was."""
        module.__spec__ = self._spec


class _Noticer:
    """Finds nothing, and notices what is looked for."""

    def __init__(self, wanted: set[str]) -> None:
        self._wanted = wanted

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        self._wanted.add(_top(name))


def _top(name: str) -> str:
    return name.partition(".")[0]


def _names(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except OSError:
        return []
