"""Every command with every kind of identity: it works, or the error names the missing permission."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.az import Az, assert_one_error
from tests.functional.many import in_one_process
from tests.functional.origin import SERVER

ABAC = "abacregistry-d7fqc4e3.azurecr.io"
KIND = "application/vnd.example.sbom"
WRITER = "Container Registry Repository Writer"

READS = (
    "show", "show --detail", "list", "list-referrers", "pull", "pull --referrer", "backup", "backup of one",
    "purge --dry-run",
)  # fmt: skip
WRITES = ("push", "attach", "tag", "update", "untag", "purge", "delete", "purge --untagged", "restore")
IDENTITIES = {
    "a reader": (SERVER, "reader", {
        "catalog": "", **dict.fromkeys(("push", "attach", "tag", "restore"), "AcrPush"), "update": "change locks",
        "untag": "AcrDelete", "purge": "AcrDelete", "delete": "AcrDelete", "purge --untagged": "AcrDelete",
    }),
    "no role": (SERVER, "nobody", dict.fromkeys((*READS, *WRITES, "catalog"), "Ask the registry's owner for the role")),
    "a reader of some repositories": (ABAC, "reader", {
        "catalog": "Catalog Lister", "push": WRITER, "attach": WRITER, "tag": WRITER, "update": WRITER,
        "restore": WRITER, "untag": WRITER, "purge": WRITER,
        "delete": "Repository Contributor", "purge --untagged": "Repository Contributor",
    }),
    "a writer of some repositories": (ABAC, "nobody", {
        "catalog": "Catalog Lister", "delete": "Repository Contributor", "purge --untagged": "Repository Contributor",
    }),
    "a token that reads content": (SERVER, "read-token", {
        **dict.fromkeys(("show", "show --detail", "list", "backup", "purge --dry-run"), "metadata/read"),
        "catalog": "cannot do that",
        **dict.fromkeys(("push", "attach", "tag", "restore"), "content/write"), "update": "metadata/write",
        **dict.fromkeys(("untag", "purge", "delete", "purge --untagged"), "content/delete"),
    }),
    "a token that writes content": (SERVER, "ci-token", {
        **dict.fromkeys(("show", "show --detail", "list", "backup", "purge --dry-run"), "metadata/read"),
        "catalog": "cannot do that", "update": "metadata/write",
        **dict.fromkeys(("untag", "purge", "delete", "purge --untagged"), "content/delete"),
    }),
    "anonymous": (SERVER, "", dict.fromkeys((*WRITES, "catalog"), "Only reading works without a sign-in")),
}  # fmt: skip
"""By description: a registry, the identity, and for each refused command a part of its error. The others work."""


def commands(server: str, repository: str) -> dict[str, list[str]]:
    """Return the commands to run, in this order, by name."""
    reference = f"{server}/{repository}:1.0"
    old = ["--repository", repository, "--ago", "0d", "--name", server, "--yes"]
    return {
        "show": ["show", reference],
        "show --detail": ["show", reference, "--detail"],
        "list": ["list", f"{server}/{repository}"],
        "catalog": ["list", server],
        "list-referrers": ["list-referrers", reference, "--recursive"],
        "pull": ["pull", reference, "--destination", "out"],
        "pull --referrer": ["pull", reference, "--referrer", KIND, "--destination", "out"],
        "backup": ["backup", f"{server}/{repository}", "--destination", "saved", "--recursive"],
        "backup of one": ["backup", reference, "--destination", "one", "--recursive"],
        "purge --dry-run": ["purge", *old, "--untagged", "--dry-run"],
        "push": ["push", f"{server}/{repository}:pushed", "--file", "b.txt"],
        "attach": ["attach", reference, "--file", "b.txt", "--artifact-type", KIND],
        "tag": ["tag", reference, "--tags", "more"],
        "update": ["update", reference, "--write-enabled", "true"],
        "untag": ["untag", f"{server}/{repository}:extra"],
        "restore": ["restore", f"{server}/{repository}:restored", "--source", "held", "--source-tag", "1.0"],
        "purge": ["purge", *old, "--keep", "100"],
        "delete": ["delete", f"{server}/{repository}:other", "--yes"],
        "purge --untagged": ["purge", *old, "--untagged", "--keep", "100"],
    }


@pytest.fixture
def stocked(az: Az, repository: str, work: Path) -> Callable[[str], None]:
    """Return a function that pushes an artifact with a referrer, and another one, to a registry."""

    def fill(server: str) -> None:
        (work / "a.txt").write_text("one")
        (work / "b.txt").write_text("two")
        reference = f"{server}/{repository}:1.0"
        done = in_one_process(az, [
            ["push", reference, "--file", "a.txt", "--tags", "extra"],
            ["attach", reference, "--file", "a.txt", "--artifact-type", KIND],
            ["backup", reference, "--destination", "held"],
            ["push", f"{server}/{repository}:other", "--file", "b.txt", "--artifact-type", "application/vnd.other"],
        ])  # fmt: skip
        assert [one.code for one in done] == [0] * 4, done

    return fill


@pytest.mark.parametrize("who", IDENTITIES)
def test_each_command_works_or_names_the_permission(
    az: Az, signed_out: Az, sign_in: Callable[[str], Path], repository: str, stocked: Callable[[str], None], who: str
) -> None:
    server, name, refusals = IDENTITIES[who]
    stocked(server)
    option: list[str] = []
    if name.endswith("-token"):
        acting, option = signed_out, ["--username", name, "--password", f"{name}-password"]
    elif not name:
        acting, option = signed_out, ["--auth-mode", "anonymous"]
        az.emulator.set(registries={"myregistry": {"anonymous_pull_enabled": True}})
    else:
        acting = az.using(config=sign_in(name))
    if who.startswith("a writer"):
        object_id = next(p["object_id"] for p in az.emulator.world()["principals"] if p["name"] == name)
        role = {"object_id": object_id, "role": WRITER, "repositories": ["samples/*"]}
        az.emulator.set(registries={"abacregistry": {"roles": [role]}})
    run = commands(server, repository)
    results = dict(zip(run, in_one_process(acting, [[*words, *option] for words in run.values()]), strict=True))
    for command, result in results.items():
        refusal = refusals.get(command)
        if not refusal:
            assert (result.code, result.stderr) == (0, ""), (who, command, result)
            continue
        assert result.code == 1, (who, command, result)
        assert_one_error(result.stderr)
        assert refusal in result.stderr, (who, command, result.stderr)
    if set(WRITES) <= refusals.keys():
        assert all(entry.status == 401 for entry in results["show"].writes if "/oauth2/" not in entry.path)
