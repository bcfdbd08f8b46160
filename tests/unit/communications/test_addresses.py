"""One address is one key, however it is written; and every key that was ever used reads on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.communications.suppressions.address import AddressError, AddressKeysError, Keyring, normalise

OLD, NEW = "2026:" + "5a" * 32, "2027:" + "b7" * 16


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        (" Lea.Martin@Ateliers.EXAMPLE ", "lea.martin@ateliers.example"),
        ("\u00a0lea@a.example\ufeff", "lea@a.example"),
        ("lea@société.example", "lea@xn--socit-esab.example"),
        ("pre\u0301nom@a.example", "pr\u00e9nom@a.example"),
        ("lea+news@a.example", "lea+news@a.example"),
        ('"a@b"@c.example', '"a@b"@c.example'),
    ],
)
def test_an_address_is_one_key_however_it_is_written(written: str, normalised: str) -> None:
    assert normalise(written) == normalised
    assert normalise(normalised) == normalised


@pytest.mark.parametrize(
    "written", ["", "lea", "@a.example", "lea@", "lea martin@a.example", "lea@a..example", "x" * 250 + "@a.example"]
)
def test_what_is_no_address_is_refused_without_its_words(written: str) -> None:
    with pytest.raises(AddressError) as error:
        normalise(written)
    assert not written or written not in str(error.value)


@given(st.text(max_size=60))
def test_nothing_else_is_raised_and_twice_is_once(written: str) -> None:
    try:
        once = normalise(written)
    except AddressError:
        return
    assert normalise(once) == once


def test_new_hashes_are_under_the_newest_key_and_old_ones_are_found() -> None:
    before, after = Keyring.read(OLD), Keyring.read(f"{NEW}, {OLD}")
    written = before.current("lea@a.example")
    assert written in after.all("lea@a.example")
    assert after.current("lea@a.example").key_id == "2027"
    assert after.current("lea@a.example").value != written.value
    assert after.secret("2026") == bytes.fromhex("5a" * 32)
    with pytest.raises(AddressKeysError, match="keep former keys"):
        before.secret("2027")


@pytest.mark.parametrize("text", ["", "abc", "2027:xyz", "2027:5a5a", f"{OLD} {OLD}", "2027:" + "5" * 33])
def test_keys_that_cannot_be_used_are_refused(text: str) -> None:
    with pytest.raises(AddressKeysError, match="openssl rand"):
        Keyring.read(text)


def test_keys_are_never_printed() -> None:
    assert "5a5a" not in repr(Keyring.read(OLD))
