"""References: valid ones survive a round trip, invalid ones are refused with advice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import InvalidReferenceError
from azext_acrartifact.oci.reference import (
    Reference,
    check_server,
    check_tag,
    is_loopback,
    is_registry_name,
    parse_image,
    parse_reference,
)

A = "sha256:" + "a" * 64
LONG = "sha512:" + "0" * 128
S = "myregistry.azurecr.io"

GOOD = {
    f"{S}/samples/artifact:1.0": Reference(S, "samples/artifact", "1.0"),
    f"{S}/a": Reference(S, "a"),
    f"{S}/a@{A}": Reference(S, "a", None, A),
    f"{S}/a:1@{A}": Reference(S, "a", "1", A),
    f"{S}/a@{LONG}": Reference(S, "a", None, LONG),
    f"myregistry-d7fqc4e3.azurecr.io/a-b_c.d__e---f/{'x' * 100}:_.-Z": Reference(
        "myregistry-d7fqc4e3.azurecr.io", f"a-b_c.d__e---f/{'x' * 100}", "_.-Z"
    ),
    "myregistry.westeurope.geo.azurecr.io/a:1": Reference("myregistry.westeurope.geo.azurecr.io", "a", "1"),
    "localhost/a:1": Reference("localhost", "a", "1"),
    "localhost:5000/a:1": Reference("localhost:5000", "a", "1"),
    "[::1]:5000/a:1": Reference("[::1]:5000", "a", "1"),
    "[::1]/a:1": Reference("[::1]", "a", "1"),
    "127.0.0.1:5000/a/b:1": Reference("127.0.0.1:5000", "a/b", "1"),
    f"{S}/a:{'t' * 128}": Reference(S, "a", "t" * 128),
}

BAD = [
    "", "a", "a:1", S, f"{S}/", f"/{S}/a", f"{S}//a", f"{S}/a/", f"{S}/a//b", f"{S}/A:1", f"{S}/a:", f"{S}/a@",
    f"{S}/a:1:2", f"{S}/a:-1", f"{S}/a:.1", f"{S}/a:{'t' * 129}", f"{S}/a:1 ", f"{S}/a:1\n", f"{S}/a\n", f"{S}/../a",
    f"{S}/a/./b", f"{S}/a@sha256:{'A' * 64}", f"{S}/a@sha256:{'a' * 11}", f"{S}/a@sha256:{'a' * 65}",
    f"{S}/a@md5:{'a' * 32}", f"{S}/a@{A}@{A}", f"{S}/a@{A}/b", f"{S}/{'a' * 256}", f"{S}/a_-b", f"{S}/a___b",
    f"{S}/-a", f"{S}/a-", f"{S}/a..b", "my\u212aregistry.azurecr.io/a:1", f"{S}:443/a:1", "127.0.0.1:0/a",
    "127.0.0.1:65536/a", "127.0.0.1:0123456/a", "127.0.0.1:0443/a", "127.0.0.1:1_0/a", "127.0.0.1:٣/a", "127.0.0.1:/a",
    "user@myregistry.azurecr.io/a:1", "-x.azurecr.io/a", "x-.azurecr.io/a",
    "a..b/a", "[::2]:5000/a", "[127.0.0.1]:5000/a", "[::1%lo]/a", "[::1]x/a",
    "[::1/a", "::1/a", "http://x.io/a",
    f"{S}/a?x=1", f"{S}/a#x", f"{S}/a%2fb", f"{S}/a b", f"{S}/ä", "a/b:1", "文.io/a", f"{'a' * 64}.io/a",
    "10.0.0.1:5000/a", f"https://{S}/a", f"oci://{S}/a",
]  # fmt: skip


@pytest.mark.parametrize(("text", "reference"), GOOD.items())
def test_a_valid_reference_survives_a_round_trip(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference
    assert str(reference) == text
    assert reference.version == (reference.digest or reference.tag)


@pytest.mark.parametrize("text", BAD)
def test_an_invalid_reference_is_refused_with_advice(text: str) -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        parse_reference(text)
    assert caught.value.why or caught.value.hint


def test_a_missing_login_server_is_explained() -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        parse_reference("samples/artifact:1.0")
    assert f"{S}/samples/artifact:1.0" in caught.value.hint
    assert "--name" in caught.value.hint


@pytest.mark.parametrize("text", ["", "artifact", "artifact:1.0", "artifact:5000"])
def test_a_name_alone_is_no_registry(text: str) -> None:
    with pytest.raises(InvalidReferenceError, match="No registry given"):
        parse_reference(text)


@pytest.mark.parametrize("text", [S, f"{S}/", "localhost", "localhost:5000/", "127.0.0.1:5000"])
def test_a_missing_repository_is_explained(text: str) -> None:
    with pytest.raises(InvalidReferenceError, match="names no repository"):
        parse_reference(text)


def test_the_longest_repository_has_255_characters_with_its_server() -> None:
    room = 255 - len(f"{S}/")
    assert parse_reference(f"{S}/{'a' * room}").repository == "a" * room
    with pytest.raises(InvalidReferenceError, match="too long"):
        parse_reference(f"{S}/{'a' * (room + 1)}")


def test_the_case_of_the_server_does_not_count() -> None:
    assert str(parse_reference(f"{S.upper()}/a:1")) == f"{S}/a:1"


def test_upper_case_in_the_repository_is_explained() -> None:
    with pytest.raises(InvalidReferenceError, match="lower case") as caught:
        parse_reference(f"{S}/Samples/Artifact:1")
    assert "samples/artifact" in caught.value.hint


DIGITS = "0123456789ab"


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        (f"{S}/a@{DIGITS}", "Not a digest", f"Write {S}/a@sha256:{DIGITS}"),
        (f"{S}/a@{DIGITS * 5}cdef", "Not a digest", f"Write {S}/a@sha256:{DIGITS * 5}cdef"),
        (f"{S}/a@latest", "Not a digest", "Write SERVER/REPOSITORY:TAG or SERVER/REPOSITORY@DIGEST."),
        (f"{S}/a:sha256:{DIGITS}", "Not a tag", f"Write {S}/a@sha256:{DIGITS}"),
        (f"{S}/Samples/A:Tag", "A repository must be lower case", "Write samples/a:Tag"),
        ("myregistry/a:1", "No registry given", f"If myregistry is the registry: {S}/a:1"),
        (f"{S}/a:1.0+build", "Not a tag", "Write 1.0_build, as helm does."),
        (f"{S}\\a:1", "names no repository", f"Write {S}/a:1"),
    ],
)
def test_the_hint_is_what_to_type(text: str, what: str, hint: str) -> None:
    with pytest.raises(InvalidReferenceError, match=what) as caught:
        parse_reference(text)
    assert caught.value.hint.endswith(hint)


@pytest.mark.parametrize("variable", ["$TAG", "${TAG}", "$(Build.BuildId)", "%TAG%", "{tag}", "{{ tag }}", "<tag>"])
def test_a_variable_that_was_not_replaced_is_named(variable: str) -> None:
    for text in (f"{S}/a:{variable}", f"{S}/{variable}:1", f"{variable}/a:1"):
        with pytest.raises(InvalidReferenceError, match="A variable was not replaced") as caught:
            parse_reference(text)
        assert f"instead of {variable}," in caught.value.hint


@pytest.mark.parametrize("text", [f"{S}/a:", f"{S}/a@", f"{S}//a:1", f"{S}/:1", "/a:1", ".azurecr.io/a", f"{S}/a:@{A}"])
def test_an_empty_part_may_be_an_unset_variable(text: str) -> None:
    with pytest.raises(InvalidReferenceError, match="A part of the name is empty") as caught:
        parse_reference(text)
    assert "unset" in caught.value.hint


_component = st.from_regex(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+){0,2}", fullmatch=True)


@given(
    st.lists(_component, min_size=1, max_size=3).map("/".join).filter(lambda name: len(name) < 200),
    st.none() | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True),
    st.none() | st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}"),
)
def test_every_reference_survives_a_round_trip(repository: str, tag: str | None, digest: str | None) -> None:
    reference = Reference(S, repository, tag, digest)  # type: ignore[arg-type]
    assert parse_reference(str(reference)) == reference
    assert parse_image(reference.image, S) == reference


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for candidate in (text, f"{S}/{text}"):
        try:
            assert str(parse_reference(candidate))
        except InvalidReferenceError:
            pass


def test_at_replaces_the_tag_with_a_digest() -> None:
    assert str(Reference(S, "a", "1").at(A)) == f"{S}/a@{A}"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("server", "loopback"),
    [
        ("localhost", True), ("localhost:5", True), ("127.0.0.1:5000", True), ("127.9.9.9", True), ("10.0.0.1", False),
        ("localhost.example", False), (S, False), ("0.0.0.0", False), ("169.254.169.254", False),
    ],
)  # fmt: skip
def test_loopback_is_this_machine(server: str, loopback: bool) -> None:
    assert is_loopback(server) is loopback


@pytest.mark.parametrize(
    ("name", "can"),
    [
        ("myregistry", True), ("MyRegistry1", True), ("myregistry-d7fq", True), ("abcd", False), ("a" * 51, False),
        ("my.registry", False), ("my_registry", False), ("", False), ("myregistry-", False), ("myregistry\n", False),
    ],
)  # fmt: skip
def test_registry_names(name: str, can: bool) -> None:
    assert is_registry_name(name) is can


def test_tags_and_servers_are_checked_separately() -> None:
    assert (check_tag("v1.0"), check_server(S)) == ("v1.0", S)
    with pytest.raises(InvalidReferenceError, match="Not a tag"):
        check_tag("v/1")
