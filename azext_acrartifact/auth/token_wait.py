"""Wait for a token of Microsoft Entra ID within limits of time and memory.

Azure's libraries request it: msal, and for the environment azure-identity. They set no deadline, and read a response of
any length into memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from ..errors import ConnectionFailedError
from ..threads import try_start
from ..transport.connection import EXCHANGE_STALLS
from .process_memory import process_memory

MOST_GROWTH = 48 * 1024 * 1024
"""Bytes that the process may grow by meanwhile. Importing the libraries takes half of it, a token a few KiB."""
_WHAT = "Could not get a token from Microsoft Entra ID"
_HINT = "Check the network and its proxy, then run the command again. To use another identity, see --auth-mode."
_LONGER = "To wait longer: az config set acrartifact.stall_timeout=SECONDS"
_STEP = 0.02
"""Seconds between two looks at the memory."""
_Token = TypeVar("_Token")


class NoTokenError(ConnectionFailedError):
    """Entra gave no token in time."""


class EndlessResponseError(NoTokenError):
    """Entra's response is too large or has no end. The command must end, since its memory continues to grow."""


def token_in_time(get_token: Callable[[], _Token], stall_timeout: float, most_growth: int = MOST_GROWTH) -> _Token:
    """Return the result of *get_token*, or raise what it raises.

    Raises `NoTokenError` after `EXCHANGE_STALLS` times *stall_timeout*, and when this process has grown by
    *most_growth*. Nothing can stop the request then: its thread is left behind, and ends with the process.
    """
    got: Future[_Token] = Future()

    def run() -> None:
        try:
            got.set_result(get_token())
        # The waiting thread raises it again.
        except BaseException as error:  # pylint: disable=broad-except
            got.set_exception(error)

    thread = threading.Thread(target=run, name="entra-token", daemon=True)
    seconds = EXCHANGE_STALLS * stall_timeout
    end, most = time.monotonic() + seconds, process_memory() + most_growth
    if not try_start(thread):
        return get_token()
    while True:
        thread.join(_STEP)
        if not thread.is_alive():
            return got.result()
        if process_memory() > most:
            raise EndlessResponseError(_WHAT, why="its response is too large", hint=_HINT)
        if time.monotonic() > end:
            raise NoTokenError(_WHAT, why=f"no response within {seconds:g} s", hint=f"{_HINT} {_LONGER}")
