"""No module imports itself through others, not even inside a function."""

from __future__ import annotations

from tests.house.conftest import Seed
from tests.house.source import PACKAGES, Module


def edges(modules: list[Module]) -> dict[str, set[str]]:
    """Return the modules that each module imports; `from package import x` imports the submodule x, if there is one."""
    names = {module.name for module in modules}
    return {
        module.name: {
            next(name for name in (imported.full, imported.module) if name in names)
            for imported in module.imports()
            if {imported.full, imported.module} & names
        }
        for module in modules
    }


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return the names along an import cycle, or nothing."""
    finished: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in finished:
            return []
        for target in sorted(graph[name]):
            if found := walk(target, [*path, name]):
                return found
        finished.add(name)
        return []

    return next((found for name in sorted(graph) if (found := walk(name, []))), [])


@PACKAGES
def test_no_import_cycle(modules: list[Module]) -> None:
    assert cycle(edges(modules)) == []


def test_a_cycle_through_a_function_is_found(seed: Seed) -> None:
    modules = seed("p", {"__init__.py": "", "a.py": "from . import b\n", "b.py": "def f():\n    from p.a import x\n"})
    assert cycle(edges(modules)) == ["p.a", "p.b", "p.a"]
