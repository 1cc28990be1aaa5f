"""Make Windows' CPython with azure-cli and pytest for Wine: once, in `.tools/windows`."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from devtools import environment, peers, steps
from devtools.windows.python import HOME, ROOT, WINE

VERSION = "3.13.5-1.5.12"
"""The version of the Maven artifact org.bytedeco:cpython, which has CPython's own build for Windows."""

DEBIAN = {
    "wine": "wine wine64",
    "x86_64-w64-mingw32-gcc-win32": "gcc-mingw-w64-x86-64-win32",
    "mvn": "maven",
}
"""Programs and their Debian packages."""

SHIM = Path(__file__).parent / "shim"

_REQUIREMENTS = [steps.ROOT / "requirements" / name for name in ("windows.txt", "demo.txt", "constraints.txt")]
_STAMP = ROOT / "installed"
_MINGW = "x86_64-w64-mingw32-"
_MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


def install() -> None:
    """Make Windows' Python, unless it is there; raises `steps.Failed`."""
    if missing := [package for program, package in DEBIAN.items() if shutil.which(program) is None]:
        peers.apt_install(" ".join(missing).split())
    inputs = [*_REQUIREMENTS, *sorted(SHIM.iterdir()), Path(__file__)]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()
    if _STAMP.exists() and _STAMP.read_text(encoding="ascii") == wanted:
        return
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    _unpack()
    _add_libraries()
    _install_packages()
    WINE.create()
    _STAMP.write_text(wanted, encoding="ascii")


def _unpack() -> None:
    """Get CPython from Maven Central, which has it as a jar that needs no installer."""
    get = ["mvn", "-q", "-B", f"{_MAVEN_PLUGIN}:copy", f"-Dartifact=org.bytedeco:cpython:{VERSION}:jar:windows-x86_64"]
    steps.must("getting Windows' CPython", [*get, f"-DoutputDirectory={ROOT}"])
    inside = "org/bytedeco/cpython/windows-x86_64/"
    file = ROOT / f"cpython-{VERSION}-windows-x86_64.jar"
    with zipfile.ZipFile(file) as jar:
        jar.extractall(ROOT / "jar", [name for name in jar.namelist() if name.startswith(inside)])
    (ROOT / "jar" / inside).rename(HOME)
    shutil.rmtree(ROOT / "jar")
    file.unlink()
    # platform.platform() would ask it, and Wine 8 does not respond.
    (HOME / "lib" / "_wmi.pyd").unlink()


def _add_libraries() -> None:
    """Build two libraries: python3.dll, which the jar has not, and bcryptprimitives.dll, which Wine 8 has not."""
    symbols = _output([f"{_MINGW}nm", str(HOME / "libs" / "python3.lib")])
    exports = _output([f"{_MINGW}objdump", "-p", str(HOME / "python313.dll")])
    definition = ROOT / "python3.def"
    definition.write_text(forwarders(symbols, exports), encoding="ascii")
    empty = ROOT / "empty.c"
    empty.write_text("int start(void) { return 1; }\n", encoding="ascii")
    _compile("python3.dll", "-nostdlib", "-e", "start", str(empty), str(definition))
    _compile("bcryptprimitives.dll", str(SHIM / "bcryptprimitives.c"), "-ladvapi32")


def forwarders(symbols: str, exports: str) -> str:
    """Return the module definition of python3.dll, which forwards the stable ABI to python313.dll.

    *symbols* are those of python3.lib as `nm` prints them, *exports* those of python313.dll as `objdump -p` does.
    https://peps.python.org/pep-0384/#linkage
    """
    wanted = set(re.findall(r"__imp_(\w+)$", symbols, re.MULTILINE))
    functions = set(re.findall(r" T (\w+)$", symbols, re.MULTILINE))
    exported = set(re.findall(r"^\s*\[ *\d+\].*?\s(\w+)$", exports, re.MULTILINE))
    lines = [f"  {name}=python313.{name}{'' if name in functions else ' DATA'}" for name in sorted(wanted & exported)]
    return "\n".join(["LIBRARY python3.dll", "EXPORTS", *lines, ""])


def _compile(name: str, *arguments: str) -> None:
    command = [f"{_MINGW}gcc-win32", "-O2", "-s", "-shared", "-o", str(HOME / name), *arguments]
    steps.must(f"compiling {name}", command)


def _output(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise steps.Failed(f"{argv[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _install_packages() -> None:
    packages = HOME / "lib" / "site-packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    windows = ["--platform", "win_amd64", "--python-version", "3.13", "--implementation", "cp"]
    abis = ["--abi", "cp313", "--abi", "abi3", "--abi", "none", "--only-binary=:all:"]
    requirements = ["--requirement", str(_REQUIREMENTS[0])]
    steps.must(
        "installing requirements/windows.txt",
        [*pip, "--target", str(packages), *windows, *abis, *requirements],
        environment.for_pip(),
    )
    shutil.copy(SHIM / "sitecustomize.py", packages)
