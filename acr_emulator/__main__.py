"""`python -m acr_emulator`: start the local Azure and print how to reach it."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from pathlib import Path

from acr_emulator.app import App
from acr_emulator.environment import proxy_environment
from acr_emulator.front.server import Server
from acr_emulator.front.settings import apply_settings
from acr_emulator.messages import BadRequest
from acr_emulator.world import default_world


def main() -> int:
    """Run until SIGTERM or SIGINT and return the exit code."""
    options = _parser().parse_args()
    world = default_world()
    try:
        apply_settings(world, {"lifetimes": _numbers(options.lifetime, float), "limits": _numbers(options.limit, int)})
    except (BadRequest, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    state = options.state.resolve()
    app = App(world, state)
    server = Server(app, options.port)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    if options.until_stdin_closes:
        threading.Thread(target=_watch_stdin, args=(stop,), daemon=True).start()
    server.start()
    _announce(options.ready_file, server.port, app.authority.certificate_file, state)
    stop.wait()
    server.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m acr_emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; default: 0, which takes any free one")
    parser.add_argument("--state", type=Path, default=Path(".emulator"), help="folder for keys and registries")
    parser.add_argument("--ready-file", type=Path, help="JSON file to write once the port is open")
    parser.add_argument(
        "--lifetime", action="append", default=[], metavar="NAME=SECONDS",
        help="entra, acr_refresh, acr_access, storage_sas or upload_session",
    )  # fmt: skip
    parser.add_argument(
        "--limit", action="append", default=[], metavar="NAME=N",
        help="upload_body, manifest, unnamed_blob, page_size or referrers_page_size",
    )  # fmt: skip
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="stop when standard input closes, with the parent process"
    )
    return parser


def _numbers(pairs: list[str], kind: type[float] | type[int]) -> dict[str, float]:
    values: dict[str, float] = {}
    for pair in pairs:
        name, separator, number = pair.partition("=")
        if not separator:
            raise ValueError(f"{pair!r} is not NAME=NUMBER")
        values[name] = kind(number)
    return values


def _announce(ready_file: Path | None, port: int, ca_file: Path, state: Path) -> None:
    print(f"# The local Azure listens on 127.0.0.1:{port}. In another shell:")
    for name, value in proxy_environment(port, ca_file, state / "azure").items():
        print(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
    if ready_file is not None:
        partial = ready_file.with_name(ready_file.name + ".part")
        partial.write_text(json.dumps({"port": port, "ca_file": str(ca_file), "pid": os.getpid()}))
        partial.replace(ready_file)


def _watch_stdin(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
