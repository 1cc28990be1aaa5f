"""Nothing that an artifact brings is ever imported, by us or by what Azure CLI loads after us (R22)."""

from __future__ import annotations

import pkgutil
import site
import sys
from pathlib import Path

import pytest

from tests.functional.az import Az, Result
from tests.functional.origin import MANIFEST, SERVER, Origin

PLANTER = '''
"""Plant a module for every name that is not imported yet, at the moment when a command of ours begins."""
import importlib, os, pkgutil, sys

MODULE = 'import os\\nopen(os.environ["PLANTED_RAN"], "a").write(__name__ + "\\\\n")\\nraise ImportError(__name__)\\n'


class Planter:
    def find_spec(self, name, path=None, target=None):
        if name == "azext_acrartifact.cli.import_path":
            sys.meta_path.remove(self)
            names = set(open(os.environ["PLANTED_NAMES"]).read().split())
            for module in list(sys.modules.values()):
                paths = getattr(module, "__dict__", {}).get("__path__")
                if paths is not None and not isinstance(paths, list):
                    names |= {f"{module.__name__}.{found.name}" for found in pkgutil.iter_modules(paths)}
            for planted in names - set(sys.modules):
                file = os.path.join(os.environ["PLANTED_IN"], *planted.split(".")) + ".py"
                os.makedirs(os.path.dirname(file), exist_ok=True)
                open(file, "w").write(MODULE)
            importlib.invalidate_caches()


sys.meta_path.insert(0, Planter())
'''
OPTIONAL = {"isal", "backports", "zstandard", "zstd", "brotli", "brotlicffi", "socks", "simplejson", "cchardet", "ipdb"}
"""What some library tries to import and is mostly not installed."""


@pytest.fixture
def planted(az: Az, tmp_path: Path) -> Az:
    """`az` in a folder where, as soon as a command of ours begins, there is a module of every name."""
    names = {found.name for found in pkgutil.iter_modules()} | set(sys.stdlib_module_names) | OPTIONAL
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(PLANTER)
    (hook / "names").write_text("\n".join(names))
    return az.using(
        PYTHONPATH=str(hook),
        PLANTED_NAMES=str(hook / "names"),
        PLANTED_IN=str(az.folder),
        PLANTED_RAN=str(tmp_path / "ran"),
    )


def run(az: Az, *arguments: str, code: int = 0, stdin: str | None = None) -> Result:
    """Run `az acr artifact …` and see that no planted module ran."""
    result = az("acr", "artifact", *arguments, stdin=stdin)
    ran = Path(az.variables["PLANTED_RAN"])
    assert not ran.exists(), (arguments, ran.read_text())
    planted = [file for file in az.folder.rglob("*.py") if "PLANTED_RAN" in file.read_text()]
    assert len(planted) > 100
    assert result.code == code, result.stderr
    # Azure CLI's own imports come before a command of ours begins: the next one must not meet these.
    for file in planted:
        file.unlink()
    return result


def test_no_command_imports_what_is_planted(planted: Az, artifact: str, repository: str) -> None:
    (planted.folder / "a.txt").write_text("a\n")
    (planted.folder / "d").mkdir()
    (planted.folder / "d" / "b.txt").write_text("b\n")
    image = artifact.partition("/")[2]
    run(planted, "push", artifact, "--file", "a.txt", "d")
    run(planted, "pull", artifact, "--destination", ".")
    run(planted, "pull", artifact, "--destination", "out", "--check", code=1)
    run(planted, "show", artifact)
    run(planted, "list", "--name", "myregistry", "--repository", repository)
    run(planted, "attach", artifact, "--file", "a.txt", "--artifact-type", "application/vnd.test.sbom")
    run(planted, "list-referrers", artifact, "--recursive")
    run(planted, "tag", artifact, "--tags", "2.0")
    run(planted, "untag", f"{SERVER}/{repository}:2.0")
    run(planted, "update", artifact, "--write-enabled", "false")
    run(planted, "update", artifact, "--write-enabled", "true")
    run(planted, "copy", artifact, "--to", f"{SERVER}/{repository}-copy:1.0")
    run(planted, "backup", artifact, "--destination", "saved")
    run(planted, "restore", f"{SERVER}/{repository}-copy:2.0", "--source", "saved", "--source-tag", "1.0")
    run(planted, "purge", f"{SERVER}/{repository}", "--ago", "0d", "--dry-run")
    run(planted, "check-access", f"{SERVER}/{repository}")
    run(planted, "login", "--name", "myregistry")
    run(planted, "logout", "--name", "myregistry")
    run(planted, "delete", "--name", "myregistry", "--image", image, "--yes")
    run(planted, "pull", artifact, code=3)


@pytest.mark.parametrize("output", ["json", "jsonc", "yaml", "yamlc", "table", "tsv", "none"])
def test_no_output_format_imports_what_is_planted(planted: Az, artifact: str, output: str) -> None:
    (planted.folder / "a.txt").write_text("a\n")
    run(planted, "push", artifact, "--file", "a.txt", "--output", output, "--query", "files")
    run(planted, "show", artifact, "--output", output)


MODULE = b'import os\nopen(os.environ["PLANTED_RAN"], "a").write(__name__ + "\\n")\nraise ImportError(__name__)\n'


def test_nothing_is_imported_from_a_destination_on_the_python_path(
    az: Az, origin: Origin, artifact: str, repository: str, tmp_path: Path
) -> None:
    """Pull a module of every name, so that the next one that this process imports would be one of them."""
    names = {found.name for found in pkgutil.iter_modules()} | set(sys.stdlib_module_names) | OPTIONAL
    blob = {**origin.push_blob(repository, MODULE), "mediaType": "application/octet-stream"}
    layers = [{**blob, "annotations": {"org.opencontainers.image.title": f"{name}.py"}} for name in sorted(names)]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob, "layers": layers, "artifactType": "a/b"}
    origin.push_manifest(repository, manifest, "1.0")
    out = tmp_path / "out"
    out.mkdir()
    on_path = az.using(PYTHONPATH=str(out), PLANTED_RAN=str(tmp_path / "ran"))
    pulled = on_path("acr", "artifact", "pull", artifact, "--destination", str(out), "--output", "table")
    assert pulled.code == 0, pulled.stderr
    assert len(list(out.iterdir())) == len(names)
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()


def user_site(home: Path) -> Path:
    """Return the folder of *home* from which every Python imports, `sitecustomize` and `.pth` files included."""
    return home / site.getusersitepackages().partition(f"{Path.home()}/")[2]


@pytest.mark.parametrize("name", ["jmespath.py", "usercustomize.py", "evil.pth", "a/b/c.txt"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_file_is_not_pulled_into_a_folder_of_imports(
    az: Az, origin: Origin, artifact: str, repository: str, tmp_path: Path, name: str, exists: bool
) -> None:
    home = tmp_path / "home"
    folder = user_site(home)
    (folder if exists else home).mkdir(parents=True)
    title = str(folder.relative_to(home) / name)
    origin.push_files(repository, {"first.txt": b"x", title: MODULE})
    refused = az.using(HOME=str(home)).refused(1, "pull", artifact, "--destination", str(home))
    assert str(folder) in refused.stderr
    assert [path for path in home.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("link", [True, False])
def test_a_folder_is_not_unpacked_into_a_folder_of_imports(az: Az, artifact: str, tmp_path: Path, link: bool) -> None:
    home = tmp_path / "home"
    home.mkdir()
    inside = user_site(az.folder)
    (inside.parents[1]).mkdir(parents=True)
    if link:
        (inside.parents[1] / "data").mkdir()
        inside.parent.symlink_to("data")
    else:
        inside.mkdir(parents=True)
        (inside / "usercustomize.py").write_bytes(MODULE)
    az.artifact("push", artifact, "--file", ".local")
    refused = az.using(HOME=str(home)).refused(1, "pull", artifact, "--destination", str(home))
    assert str(user_site(home)) in refused.stderr
    assert list(home.iterdir()) == []


def test_a_file_is_not_pulled_into_an_extension(az: Az, origin: Origin, artifact: str, repository: str) -> None:
    extensions = Path(az.variables["AZURE_EXTENSION_DIR"])
    origin.push_files(repository, {"extensions/other/azext_other/__init__.py": MODULE})
    refused = az.refused(1, "pull", artifact, "--destination", str(extensions.parent))
    assert str(extensions) in refused.stderr
    assert not (extensions / "other").exists()
