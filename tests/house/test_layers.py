"""The layers of the extension, as in docs/architecture.md: which one may import which."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import pytest

from tests.house.conftest import Seed
from tests.house.source import Import, Module, emulator, extension, none

PACKAGE = "azext_acrartifact"

LAYERS: dict[str, frozenset[str]] = {
    "face": frozenset({"operations", "layout", "transfer", "files", "auth", "signing", "oci", "base"}),
    "operations": frozenset({"layout", "transfer", "files", "auth", "signing", "oci", "transport", "base"}),
    "layout": frozenset({"transfer", "files", "oci", "transport", "base"}),
    "transfer": frozenset({"oci", "transport", "base"}),
    "files": frozenset({"base"}),
    "auth": frozenset({"transport", "base"}),
    "signing": frozenset({"files", "oci", "transport", "base"}),
    "oci": frozenset({"transport", "base"}),
    "transport": frozenset({"base"}),
    "base": frozenset(),
}
"""Each layer and those that it may import besides itself. `face` and `base` are files of the root and `cli`."""

BASE_FILES = {"errors", "filelock", "known_secrets", "linear_match", "text", "threads", "_version"}
FACE_NAMES = {PACKAGE, "commands", "custom"}
FACE_FOLDER = "cli"
FRAMEWORK = ("azure.cli", "knack")
HTTP = ("http.client", "http.server", "requests", "urllib3", "urllib.request", "socket", "ssl")


def layer(module: Module) -> str | None:
    """Return the layer of a module of the extension, or None if it is in none."""
    if module.folder == FACE_FOLDER:
        return "face"
    if module.folder:
        return module.folder if module.folder in LAYERS else None
    last = module.name.split(".")[-1]
    if last in BASE_FILES:
        return "base"
    return "face" if last in FACE_NAMES or last.startswith("_") else None


def target_layer(imported: Import, modules: dict[str, Module]) -> str | None:
    """Return the layer of an imported module, or None if it is not part of the extension."""
    for name in (imported.full, imported.module):
        if name in modules:
            return layer(modules[name])
    return None


def is_under(name: str, roots: Iterable[str]) -> bool:
    """Return whether the dotted *name* is one of *roots* or in one of them."""
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def misplaced(modules: list[Module]) -> list[str]:
    """Find files in no layer."""
    return [module.short for module in modules if layer(module) is None]


def upward(modules: list[Module]) -> list[str]:
    """Find imports of a layer above or beside."""
    by_name = {module.name: module for module in modules}
    found = []
    for module in modules:
        here = layer(module) or ""
        allowed = LAYERS.get(here, frozenset()) | {here}
        if module.name == f"{PACKAGE}._client_factory":
            allowed |= {"transport"}
        for imported in module.imports():
            there = target_layer(imported, by_name)
            if there is not None and there not in allowed:
                found.append(f"{module.at(imported.line)}: {here} imports {there} ({imported.full})")
    return found


def framework_in_core(modules: list[Module]) -> list[str]:
    """Find imports of Azure CLI or knack in the core, and of the emulator, tests and devtools anywhere."""
    found = []
    for module in modules:
        forbidden = ["acr_emulator", "tests", "devtools", *(FRAMEWORK if layer(module) != "face" else ())]
        found += [
            f"{module.at(imported.line)}: imports {imported.full}"
            for imported in module.imports()
            if is_under(imported.full, forbidden)
        ]
    return found


def http_outside_transport(modules: list[Module]) -> list[str]:
    """Find imports of HTTP libraries outside of transport."""
    return [
        f"{module.at(imported.line)}: imports {imported.full}"
        for module in modules
        if layer(module) != "transport"
        for imported in module.imports()
        if is_under(imported.full, HTTP)
    ]


def prints(modules: list[Module]) -> list[str]:
    """Find calls of print(): results are returned to Azure CLI, progress and logs have their own ways."""
    return [
        module.at(node.lineno)
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


@pytest.mark.parametrize("rule", [misplaced, upward, framework_in_core, http_outside_transport, prints])
def test_the_extension_keeps_its_layers(rule: object) -> None:
    assert callable(rule)
    none(rule(extension()))


def test_the_emulator_knows_nothing_of_the_extension() -> None:
    found = [
        f"{module.at(imported.line)}: imports {imported.full}"
        for module in emulator()
        for imported in module.imports()
        if is_under(imported.full, [PACKAGE, "tests", "devtools"])
    ]
    none(found)


CORE = {"__init__.py": "", "errors.py": "", "oci/__init__.py": "", "oci/reference.py": "", "transport/__init__.py": ""}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("oci/a.py", "from azext_acrartifact.operations import push\n"),
        ("oci/a.py", "from ..operations import push\n"),
        ("oci/a.py", "from .. import operations\n"),
        ("oci/a.py", "def f():\n    from azext_acrartifact import operations\n"),
        ("oci/a.py", "if TYPE_CHECKING:\n    import azext_acrartifact.operations.push\n"),
        ("oci/a.py", "import importlib\nimportlib.import_module('azext_acrartifact.operations')\n"),
        ("transfer/a.py", "import azext_acrartifact.operations.push\n"),
        ("oci/a.py", "from azext_acrartifact import auth\n"),
        ("auth/a.py", "from azext_acrartifact.oci import reference\n"),
        ("files/archive/a.py", "from ...oci import reference\n"),
        ("signing/a.py", "from ..auth import tokens\n"),
        ("oci/a.py", "def f():\n    from ..signing import jws\n"),
        ("transfer/a.py", "from ..layout import store\n"),
        ("operations/a.py", "from ..cli import orders\n"),
        ("cli/commands/a.py", "from ... import transport\n"),
        ("errors.py", "from azext_acrartifact.oci import reference\n"),
        ("custom.py", "def f():\n    from azext_acrartifact import transport\n"),
        ("operations/a.py", "from azext_acrartifact import custom\n"),
    ],
)
def test_an_import_against_the_layers_is_found(seed: Seed, path: str, text: str) -> None:
    rest = {
        **{
            f"{folder}/__init__.py": ""
            for folder in ("operations", "auth", "cli", "cli/commands", "layout", "files", "signing")
        },
        **{
            f"{file}.py": ""
            for file in ("operations/push", "custom", "cli/orders", "layout/store", "files/archive/b", "signing/jws")
        },
    }
    assert len(upward(seed(PACKAGE, {**CORE, **rest, path: text}))) == 1


def test_the_client_factory_alone_of_the_face_may_touch_transport(seed: Seed) -> None:
    assert upward(seed(PACKAGE, {**CORE, "_client_factory.py": "from azext_acrartifact import transport\n"})) == []


@pytest.mark.parametrize(
    "text", ["import knack.log\n", "def f():\n    from azure.cli.core import x\n", "import tests\n"]
)
def test_the_framework_in_the_core_is_found(seed: Seed, text: str) -> None:
    assert len(framework_in_core(seed(PACKAGE, {**CORE, "oci/a.py": text}))) == 1


@pytest.mark.parametrize("text", ["import requests\n", "from http import client\n", "from urllib3.util import retry\n"])
@pytest.mark.parametrize("path", ["custom.py", "_client_factory.py", "oci/a.py"])
def test_http_outside_transport_is_found(seed: Seed, path: str, text: str) -> None:
    assert len(http_outside_transport(seed(PACKAGE, {**CORE, path: text}))) == 1


def test_a_file_in_no_layer_is_found(seed: Seed) -> None:
    modules = seed(PACKAGE, {**CORE, "helpers.py": "", "misc/__init__.py": ""})
    assert len(misplaced(modules)) == 2


def test_a_print_is_found(seed: Seed) -> None:
    assert len(prints(seed(PACKAGE, {**CORE, "oci/a.py": "def f():\n    print('x')\n"}))) == 1
