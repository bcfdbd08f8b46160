"""The form of a public page: what was typed is read, and what is wrong stands at its field."""

from urllib.parse import urlencode

import pytest

from services.gateway.public.forms import Row, fields_of, new_key, registration_form

KEY = "mfrggzdfmztwq2lkmfrggzdfmz"
USUAL = {"form": KEY, "email": "zoe@example.fr", "name1": "Zoé Müller"}


def test_people_with_and_without_an_address_are_read_in_their_order() -> None:
    form = registration_form(
        USUAL | {"name2": " Léo Martin ", "email2": "leo@example.fr", "name4": "Ada", "fewer": "yes"}
    )
    assert form.faults == {}
    assert [(person.name, person.email) for person in form.people] == [
        ("Zoé Müller", None), ("Léo Martin", "leo@example.fr"), ("Ada", None),
    ]  # fmt: skip
    assert (form.key, form.email, form.fewer) == (KEY, "zoe@example.fr", True)


@pytest.mark.parametrize(
    ("typed", "faults"),
    [
        ({"email": ""}, {"email": "missing"}),
        ({"email": "zoe at example.fr"}, {"email": "address"}),
        ({"email": "zoe@example.fr\nBcc: x@example.fr"}, {"email": "address"}),
        ({"name1": ""}, {"name1": "nobody"}),
        ({"name1": "Zoé\nBcc: x@example.fr"}, {"name1": "name"}),
        ({"name1": "Zoé\x00"}, {"name1": "name"}),
        ({"name1": "Z" * 201}, {"name1": "name"}),
        ({"email2": "leo@example.fr"}, {"name2": "name-missing"}),
        ({"name2": "Léo", "email2": "leo"}, {"email2": "address"}),
        ({"name3": "zoé  MÜLLER", "email3": "Zoe@example.fr"}, {"name3": "twice"}),
        ({"name6": "Somebody"}, {"form": "too-many"}),
        ({"form": "x"}, {"form": "form"}),
        ({"form": ""}, {"form": "form"}),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(typed: dict[str, str], faults: dict[str, str]) -> None:
    form = registration_form(USUAL | typed)
    assert form.faults == faults
    assert form.rows[1] == Row(typed.get("name2", ""), typed.get("email2", ""))


def test_two_people_of_one_name_with_addresses_of_their_own_are_two() -> None:
    form = registration_form(USUAL | {"name2": "Zoé Müller", "email2": "other@example.fr"})
    assert form.faults == {}


def test_a_body_is_read_as_browsers_write_it() -> None:
    assert fields_of(urlencode(USUAL | {"name2": ""}).encode()) == USUAL | {"name2": ""}
    assert fields_of(b"name1=first&name1=second") == {"name1": "first"}


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"name1=%ff", b"&".join(b"a=1" for _ in range(61))])
def test_what_is_no_form_has_no_fields(body: bytes) -> None:
    assert fields_of(body) == {}
    assert registration_form(fields_of(body)).faults["email"] == "missing"


def test_every_form_has_a_key_of_its_own_that_is_accepted() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all("form" not in registration_form(USUAL | {"form": key}).faults for key in keys)
