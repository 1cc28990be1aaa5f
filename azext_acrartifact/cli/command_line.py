"""Words of the command line that Azure CLI's parser would refuse without saying what to type instead.

Azure CLI raises an event with the words before it parses them; its own alias extension changes them there as well
(https://github.com/Azure/azure-cli-extensions/tree/main/src/alias).
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from azure.cli.core import AzCli
from azure.cli.core.azclierror import InvalidArgumentValueError, UnrecognizedArgumentError
from knack.events import EVENT_INVOKER_PRE_PARSE_ARGS

from .argument_names import is_server, plain_name
from .foreign_options import meant_by

Options = Mapping[str, float]
"""The number of values that each option takes, at most."""
_GLOBAL: Options = {
    **dict.fromkeys(("--output", "-o", "--query", "--subscription"), 1),
    **dict.fromkeys(("--debug", "--verbose", "--only-show-errors", "--help", "-h"), 0),
}
_TAKES_FILES = ("push", "attach")
_TAKES_REFERENCES = ("sign",)
_MEANT = {
    "backup": "--destination",
    "check-access": "--repository",
    "copy": "--to",
    "list": "--repository",
    "pull": "--destination",
    "restore": "--source",
    "tag": "--tags",
}
"""The option that a second word after the reference stands for, as with oras."""
_PATHS = ("--destination", "-d", "--source", "-s", "--file", "-f")
_WRITES_FILES = ("pull", "backup")
MOST_SPACES = 8
"""Words that are tried together as one path."""
_FORMATS = ("json", "jsonc", "yaml", "yamlc", "table", "tsv", "none")
# An office program or a chat makes these of two hyphens.
_DASHES = re.compile(r"-?[\u2010-\u2015\u2212][-\u2010-\u2015\u2212]*(?P<name>[a-z][a-z-]*)(?:=.*)?", re.DOTALL)


class ParserError(Exception):
    """Words that Azure CLI's parser refuses as well, with an exit code that its other errors do not have; *hint* is
    what to type."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def watch(cli_ctx: AzCli, command: str) -> None:
    """Check the words of *command* before Azure CLI parses them."""
    cli_ctx.register_event(EVENT_INVOKER_PRE_PARSE_ARGS, functools.partial(_check, command))


def _check(command: str, cli_ctx: AzCli, args: list[str], **_: object) -> None:
    names = command.split()
    if args[: len(names)] != names or {"--help", "-h"} & set(args):
        return
    arguments = cli_ctx.invocation.commands_loader.command_table[command].arguments
    settings = [argument.type.settings for argument in arguments.values()]
    options = {str(option): _values(one) for one in settings for option in one.get("options_list") or ()}
    try:
        args[:] = [*names, *mended(names[-1], args[len(names) :], options)]
    except ParserError as error:
        shown = UnrecognizedArgumentError(str(error), error.hint)
        shown.print_error()
        shown.send_telemetry()
        raise SystemExit(2) from error


def _values(settings: Mapping[str, Any]) -> float:
    if settings.get("action") == "store_true":
        return 0
    return inf if settings.get("nargs") == "+" else 1


def mended(verb: str, words: list[str], options: Options) -> list[str]:
    """Return *words* with files beside the reference as values of --file, and all references first; *options* are those
    of *verb*.

    Raises `InvalidArgumentValueError` for an empty value, for a dash that is no hyphen and for a path that was split at
    its spaces, `UnrecognizedArgumentError` for a word that belongs to no option, and `ParserError` for an option of
    another tool.
    """
    options = {**options, **_GLOBAL}
    _require_hyphens(words)
    _require_quotes(words)
    _require_known(verb, words, options)
    loose: list[str] = []
    rest: list[str] = []
    for option, word in _owners(words, options):
        if not word.strip() and option not in _GLOBAL:
            raise InvalidArgumentValueError(
                f"{option or 'REFERENCE'} is empty.", "Is a variable unset? Otherwise leave the option out."
            )
        (rest if option is not None else loose).append(word)
    if verb in _TAKES_REFERENCES:
        return [*loose, *rest]
    references = [word for word in loose if _is_reference(word)]
    if verb in _TAKES_FILES and len(references) == 1:
        loose.sort(key=lambda word: word != references[0])
    named = bool({"--image", "-t"} & set(words)) and not (loose and _is_reference(loose[0]))
    extra = loose if named and verb in _TAKES_FILES else loose[1:]
    if not extra:
        return words
    if verb in _TAKES_FILES:
        return [*loose[: len(loose) - len(extra)], *rest, "--file", *extra]
    meant = next(_meanings(verb, words, loose, options))
    raise UnrecognizedArgumentError(f"{' '.join(extra)} belongs to no option.", meant)


def _require_hyphens(words: list[str]) -> None:
    for word in words:
        if (found := _DASHES.fullmatch(word)) and not os.path.lexists(word):
            name = found["name"]
            raise InvalidArgumentValueError(
                f"{word} begins with a dash that is not a hyphen.", f"Type {'--' if len(name) > 1 else '-'}{name}."
            )


def _require_quotes(words: list[str]) -> None:
    """Refuse words that together are the path of a file, while the first is none."""
    for first, word in enumerate(words):
        if _is_option(word) or os.path.lexists(word):
            continue
        for last in range(first + 2, min(first + MOST_SPACES, len(words)) + 1):
            path = " ".join(words[first:last])
            if os.path.lexists(path):
                raise InvalidArgumentValueError(f"{path} is one path.", f'Put it in quotes: "{path}"')


def _require_known(verb: str, words: list[str], options: Options) -> None:
    """Refuse options of other tools. Azure CLI's parser refuses all others, and an option without its value."""
    before = ""
    for word in words[: words.index("--")] if "--" in words else words:
        name = word.partition("=")[0]
        needs_value = _is_option(before) and "=" not in before and options.get(_whole(before, options), 0) > 0
        if _is_option(word):
            hint = (
                None if needs_value or any(option.startswith(name) for option in options) else meant_by(name, options)
            )
            if hint:
                raise ParserError(f"{name} is no option of az acr artifact {verb}.", hint)
        elif verb in _WRITES_FILES and before in ("-o", "--output") and word.lower() not in _FORMATS:
            raise ParserError(f"{word} is no format of the result.", f"For a folder: --destination {word}")
        before = word


def _meanings(verb: str, words: list[str], loose: list[str], options: Options) -> Iterator[str]:
    """Yield what to type instead of the second of the *loose* words, the most likely first."""
    from ..oci.reference import is_registry_name, is_tag

    first, second, *_ = loose
    before = words[words.index(second) - 1]
    if {word: option for option, word in _owners(words, options)}.get(before) in _PATHS and not _is_option(before):
        yield f'Put a path with spaces in quotes: "{before} {second}"'
    option = _MEANT.get(verb)
    if _is_reference(second) and not _is_reference(first):
        if option and (os.path.lexists(first) or verb == "tag"):
            yield f"Type {second} {option} {first}."
        if is_registry_name(first):
            yield f"Type {second}."
    if verb == "tag":
        yield f"Type --tags {second.rpartition('/')[2].rpartition(':')[2]}."
    if option:
        yield f"Type {option} {second}."
    if is_registry_name(first) and not is_tag(second):
        yield f"Type --name {first} --image {second}."
    if _is_reference(first) and ":" not in first.partition("/")[2] and is_tag(second):
        yield f"Type {first}:{second}."
    yield "Give one artifact, and options after it."


def _is_reference(word: str) -> bool:
    first, slash, _ = plain_name(word).partition("/")
    return bool(slash and first.strip(".")) and is_server(first) and not os.path.lexists(word)


def _owners(words: list[str], options: Options) -> Iterator[tuple[str | None, str]]:
    """Yield each word with the option that it is, or is a value of; None for a loose word."""
    option, room = "", 0.0
    for number, word in enumerate(words):
        if word == "--":
            yield from (("--", rest) for rest in words[number:])
            return
        if _is_option(word):
            name, equals, value = word.partition("=")
            option = _whole(name, options)
            has_value = equals or (len(name) > 2 and name[1] != "-")
            room = 0.0 if has_value else options.get(option, 1)
            if equals and not value.strip():
                yield option, ""
            yield option, word
        elif room > 0:
            room -= 1
            yield option, word
        else:
            yield None, word


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-" and not word[1:2].isdigit() and " " not in word


def _whole(name: str, options: Options) -> str:
    """Return the option that *name* abbreviates, if there is one."""
    found = [option for option in options if option.startswith(name)]
    return found[0] if len(found) == 1 else name
