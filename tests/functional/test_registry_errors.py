"""Errors of the registry, the sign-in and the network: one clear message each, and no changes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import certifi
import pytest

from acr_emulator.client import Emulator
from tests.functional.az import Az, files_in
from tests.functional.origin import SERVER, Origin, digest_of
from tests.functional.proxies import free_port, refusing_proxy

WITH_PASSWORD = ("--username", "ci-token", "--password-stdin")
PASSWORD = "ci-token-password\n"


@pytest.mark.parametrize("verb", ["show", "pull", "delete"])
def test_an_unknown_repository(az: Az, artifact: str, work: Path, verb: str) -> None:
    refused = az.refused(3, verb, artifact)
    assert artifact.partition("/")[2].partition(":")[0] in refused.stderr
    assert refused.writes == []
    assert files_in(work) == set()


def test_an_unknown_tag_and_an_unknown_digest(
    az: Az, origin: Origin, artifact: str, repository: str, work: Path
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    assert "2.0" in az.refused(3, "pull", artifact.replace("1.0", "2.0"), "-d", "out").stderr
    unknown = f"sha256:{'0' * 64}"
    assert unknown in az.refused(3, "show", f"{SERVER}/{repository}@{unknown}").stderr
    assert files_in(work) == set()


@pytest.mark.parametrize("way", ["server", "name"])
def test_an_unknown_registry(az: Az, file: str, way: str) -> None:
    named = {"server": ["nobodysregistry.azurecr.io/a:1"], "name": ["--name", "nobodysregistry", "--image", "a:1"]}
    refused = az.refused(1, "push", *named[way], "--file", file)
    assert "cannot reach the host (nobodysregistry.azurecr.io)" in refused.stderr
    assert "Check the registry's name" in refused.stderr
    assert refused.writes == []


def test_a_registry_of_another_tenant(az: Az, file: str) -> None:
    refused = az.refused(1, "push", "otherregistry.azurecr.io/samples/a:1", "--file", file)
    assert "otherregistry.azurecr.io" in refused.stderr
    assert refused.writes == []


def test_a_host_that_is_not_in_azure_gets_no_token(az: Az, file: str) -> None:
    refused = az.refused(1, "push", "registry.example.com/a:1", "--file", file)
    assert "--username" in refused.stderr
    assert refused.log == []


@pytest.mark.parametrize("verb", ["push", "pull", "show", "delete"])
def test_no_login(signed_out: Az, artifact: str, file: str, verb: str) -> None:
    files = ["--file", file] if verb == "push" else []
    refused = signed_out.refused(1, verb, artifact, *files)
    assert "az login" in refused.stderr
    # Reading is tried without a sign-in: the registry may allow anonymous access.
    assert [entry.path for entry in refused.log] == (["/oauth2/token"] if verb in ("pull", "show") else [])


@pytest.mark.parametrize(
    "user", ["ci-token", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaa1", "nobody-of-this-name", "myregistry"]
)
def test_a_wrong_password(signed_out: Az, artifact: str, file: str, user: str) -> None:
    wrong = "correct horse"
    refused = signed_out.refused(1, "push", artifact, "--file", file, "-u", user, "--password-stdin", stdin=wrong)
    assert "user name and password" in refused.stderr
    assert wrong not in refused.stderr
    assert refused.writes == []
    assert len(refused.to(SERVER)) == 1


def test_a_secret_that_was_changed(
    az: Az, sign_in: Callable[[str], Path], emulator: Emulator, artifact: str, file: str, tmp_path: Path
) -> None:
    config = copy_of_sign_in(sign_in("other"), tmp_path)
    emulator.set(principals={"other": {"secrets": ["another"]}})
    refused = az.using(config=config).refused(1, "push", artifact, "--file", file)
    assert "az login" in refused.stderr
    assert refused.writes == []


def copy_of_sign_in(config: Path, tmp_path: Path) -> Path:
    """Copy a sign-in without its cached tokens."""
    copied = tmp_path / "copied"
    shutil.copytree(config, copied)
    for cached in copied.glob("msal_token_cache*"):
        cached.unlink()
    return copied


def test_no_right_to_push(az: Az, sign_in: Callable[[str], Path], artifact: str, repository: str, file: str) -> None:
    refused = az.using(config=sign_in("reader")).refused(1, "push", artifact, "--file", file)
    for word in (SERVER, repository, "push", "AcrPush"):
        assert word in refused.stderr
    assert refused.registry("/v2/") == []


def test_no_right_at_all(
    az: Az, sign_in: Callable[[str], Path], origin: Origin, artifact: str, repository: str
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    nobody = az.using(config=sign_in("nobody"))
    assert "AcrPull" in nobody.refused(1, "pull", artifact).stderr
    reader = az.using(config=sign_in("reader"))
    refused = reader.refused(1, "delete", artifact, "--yes")
    assert "delete" in refused.stderr
    assert "AcrDelete" in refused.stderr
    assert refused.writes == []
    assert origin.manifest(repository, "1.0")


def test_no_right_in_a_registry_with_conditions(az: Az, sign_in: Callable[[str], Path], file: str) -> None:
    reader = az.using(config=sign_in("reader"))
    refused = reader.refused(1, "push", "abacregistry-d7fqc4e3.azurecr.io/samples/a:1", "--file", file)
    assert "Container Registry Repository Writer" in refused.stderr
    assert refused.registry("/v2/") == []


def test_a_lock(az: Az, origin: Origin, artifact: str, repository: str, file: str) -> None:
    digest = origin.push_files(repository, {"b.txt": b"one"})
    for image in (f"{repository}:1.0", f"{repository}@{digest}"):
        lock = ("--image", image, "--write-enabled", "false", "--delete-enabled", "false")
        assert az("acr", "repository", "update", "-n", "myregistry", *lock).code == 0
    assert "lock" in az.refused(1, "push", artifact, "--file", file).stderr.lower()
    assert "lock" in az.refused(1, "delete", artifact, "--yes").stderr.lower()
    assert digest_of(origin.manifest(repository, "1.0") or b"") == digest


@pytest.mark.parametrize("rule", [{"blocked_client_ip": "203.0.113.7"}, {"public_network_access": False}])
@pytest.mark.parametrize("signed_in", [True, False])
def test_a_firewall(
    az: Az, signed_out: Az, emulator: Emulator, artifact: str, file: str, rule: dict[str, object], signed_in: bool
) -> None:
    emulator.set(registries={"myregistry": rule})
    if signed_in:
        refused = az.refused(1, "push", artifact, "--file", file)
    else:
        refused = signed_out.refused(1, "push", artifact, "--file", file, *WITH_PASSWORD, stdin=PASSWORD)
    assert "https://aka.ms/acr/firewall" in refused.stderr
    assert "networkRuleSet" in refused.stderr
    assert refused.writes == []


def test_a_certificate_that_is_not_trusted(signed_out: Az, az: Az, artifact: str, file: str) -> None:
    others = {"REQUESTS_CA_BUNDLE": certifi.where()}
    refused = signed_out.using(**others).refused(1, "push", artifact, "--file", file, *WITH_PASSWORD, stdin=PASSWORD)
    assert SERVER in refused.stderr
    assert "REQUESTS_CA_BUNDLE" in refused.stderr
    assert refused.to(SERVER) == []
    az.artifact("push", artifact, "--file", file)  # now a token of Entra's is in the cache
    refused = az.using(**others).refused(1, "pull", artifact, "-d", "out")
    assert "REQUESTS_CA_BUNDLE" in refused.stderr


def test_a_bundle_that_does_not_exist(signed_out: Az, artifact: str, file: str) -> None:
    missing = signed_out.using(REQUESTS_CA_BUNDLE="/missing/ca.pem")
    refused = missing.refused(1, "push", artifact, "--file", file, *WITH_PASSWORD, stdin=PASSWORD)
    assert "/missing/ca.pem" in refused.stderr


def test_certificates_are_not_checked_if_azure_cli_does_not(signed_out: Az, artifact: str, file: str) -> None:
    az = signed_out.using(REQUESTS_CA_BUNDLE=certifi.where(), AZURE_CLI_DISABLE_CONNECTION_VERIFICATION="1")
    pushed = az("acr", "artifact", "push", artifact, "--file", file, *WITH_PASSWORD, stdin=PASSWORD)
    assert pushed.code == 0, pushed.stderr


def test_no_proxy_at_its_port(signed_out: Az, artifact: str, file: str) -> None:
    port = free_port()
    nowhere = signed_out.using(HTTPS_PROXY=f"http://127.0.0.1:{port}", https_proxy=f"http://127.0.0.1:{port}")
    refused = nowhere.refused(1, "push", artifact, "--file", file, *WITH_PASSWORD, stdin=PASSWORD)
    assert f"127.0.0.1:{port}" in refused.stderr
    assert "HTTPS_PROXY" in refused.stderr


CAUSES = {"407 Proxy Authentication Required": "password", "403 Forbidden": "403", "502 Bad Gateway": SERVER}


@pytest.mark.parametrize("status", CAUSES)
def test_a_proxy_that_refuses(signed_out: Az, artifact: str, file: str, status: str) -> None:
    with refusing_proxy(status) as url:
        behind = signed_out.using(HTTPS_PROXY=url, https_proxy=url)
        refused = behind.refused(1, "push", artifact, "--file", file, *WITH_PASSWORD, stdin=PASSWORD)
    assert url.removeprefix("http://") in refused.stderr
    assert CAUSES[status] in refused.stderr


def test_an_unknown_host_without_a_proxy(signed_out: Az, file: str) -> None:
    direct = signed_out.using(HTTPS_PROXY="", https_proxy="")
    refused = direct.refused(1, "push", "nobodysregistry.invalid/a:1", "--file", file, *WITH_PASSWORD, stdin=PASSWORD)
    assert "nobodysregistry.invalid" in refused.stderr


@pytest.mark.parametrize("status", [429, 503])
def test_a_registry_that_stays_busy(
    az: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str, status: int
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    headers = {"Retry-After": "600"} if status == 429 else {"Retry-After": "0"}
    emulator.fault(host=SERVER, path="/manifests/", action="status", status=status, headers=headers)
    refused = az.refused(1, "pull", artifact, "-d", "out")
    assert str(status) in refused.stderr or "600 s" in refused.stderr
    assert files_in(az.folder) == set()


def test_responses_that_are_not_of_a_registry(az: Az, emulator: Emulator, artifact: str, file: str) -> None:
    for body in (b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html/>\r\n"):
        emulator.fault(host=SERVER, path="/oauth2/", action="raw", raw=body)
        refused = az.refused(1, "push", artifact, "--file", file)
        assert SERVER in refused.stderr
        assert refused.writes == []
        emulator.clear_faults()
