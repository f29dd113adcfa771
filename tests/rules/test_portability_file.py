"""The one sealed file that a group travels in."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leeward.domain.portability import rules
from leeward.domain.portability.rules import packed, unpacked
from leeward.lib.crypto import seal_with_passphrase
from leeward.lib.refusals import Refusal

PHRASE = "four words in a row"
GROUP: dict[str, object] = {"name": "Tuesday circle", "people": [{"name": "Zoë 🌿"}], "meetings": [1, 2.5, None, True]}


def refusal_of(data: bytes, passphrase: str = PHRASE) -> Refusal:
    with pytest.raises(Refusal) as caught:
        unpacked(data, passphrase)
    return caught.value


def sealed(squeezed: bytes) -> bytes:
    header = "LEEWARD-GROUP 1\n"
    return header.encode() + seal_with_passphrase(squeezed, PHRASE, header)


def test_what_goes_in_comes_out() -> None:
    data = packed(GROUP, PHRASE)

    assert unpacked(data, PHRASE) == GROUP
    assert data.startswith(b"LEEWARD-GROUP 1\n")
    assert b"Tuesday" not in data


def test_a_passphrase_is_the_same_however_it_is_typed() -> None:
    assert unpacked(packed(GROUP, "  cafe\u0301 au  lait, deux "), "caf\u00e9 au lait, deux") == GROUP


def test_a_short_passphrase_is_refused_both_ways() -> None:
    refusal = Refusal("passphrase_short", field="passphrase", least=12)

    with pytest.raises(Refusal) as caught:
        packed(GROUP, "eleven char")
    assert caught.value == refusal
    assert refusal_of(packed(GROUP, PHRASE), "   short   ") == refusal


@pytest.mark.parametrize(
    "data", [b"", b"LEEWARD", b"PK\x03\x04" * 9, b"leeward-group 1\n", b"LEEWARD-GROUP x\n", b"\nLEEWARD-GROUP 1\n"]
)
def test_another_file_is_not_a_group(data: bytes) -> None:
    assert refusal_of(data) == Refusal("portable_not_a_group", field="file")


@pytest.mark.parametrize("version", [0, 2, 9999])
def test_another_version_is_named(version: int) -> None:
    data = packed(GROUP, PHRASE).replace(b"GROUP 1\n", b"GROUP %d\n" % version)

    assert refusal_of(data) == Refusal("portable_version", field="file", version=version, known=1)


def test_another_passphrase_opens_nothing() -> None:
    assert refusal_of(packed(GROUP, PHRASE), "four words in a bow") == Refusal("portable_closed", field="passphrase")


@settings(max_examples=4, deadline=None)
@given(st.data())
def test_one_changed_or_missing_byte_opens_nothing(data: st.DataObject) -> None:
    whole = packed(GROUP, PHRASE)
    at = data.draw(st.integers(len(b"LEEWARD-GROUP 1\n"), len(whole) - 1))
    changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]

    assert refusal_of(changed) == refusal_of(whole[:at]) == Refusal("portable_closed", field="passphrase")


@pytest.mark.parametrize(
    "squeezed",
    [
        b"not zlib",
        zlib.compress(b"{}")[:-3],
        zlib.compress(b"[]"),
        zlib.compress(b"{"),
        zlib.compress(b"\xff"),
        zlib.compress(b'{"a":NaN}'),
        zlib.compress(b'{"a":' + b"[" * 100_000),
        zlib.compress(b'{"a":' + b"9" * 5_000 + b"}"),
    ],
)
def test_what_was_sealed_by_another_program_is_not_trusted(squeezed: bytes) -> None:
    assert refusal_of(sealed(squeezed)) == Refusal("portable_not_a_group", field="file")


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    squeezer = zlib.compressobj(9)
    wide = b"".join([squeezer.compress(b" " * (1 << 20)) for _ in range(65)] + [squeezer.flush()])
    many = zlib.compress(b'{"a":[' + b"{}," * rules.UNPACKED_PARTS_MOST + b"0]}")

    for bomb in (wide, many):
        assert refusal_of(sealed(bomb)) == Refusal("portable_too_large", field="file", mib=64)


def test_a_file_over_the_bound_is_refused_unread() -> None:
    data = b"LEEWARD-GROUP 1\n" + b"x" * rules.PACKED_MOST

    assert refusal_of(data) == Refusal("portable_too_large", field="file", mib=32)


def test_a_number_that_json_does_not_know_never_leaves() -> None:
    with pytest.raises(ValueError, match="JSON"):
        packed({"a": float("nan")}, PHRASE)
    assert json.loads("{}") == {}
