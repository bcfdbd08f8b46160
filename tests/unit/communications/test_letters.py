"""What mails say: each letter in each language, with every text, and nothing that a template must not do."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from schemas.letters import RegistrationCancelled
from schemas.letters_examples import LETTER_EXAMPLES
from services.common import words
from services.common.words import LANGUAGES, Language
from services.communications.brands.brand import Brand
from services.communications.deliveries.message import Letter
from services.communications.letters.mjml import html_of
from services.communications.letters.notice import of_cancellation
from services.communications.letters.sandbox import TemplateRefusedError, check_values, environment, rendered
from services.communications.letters.template import KINDS, letter_of, template_of
from tests.support.mailing import BRAND

POSTAL = "2 rue de la Montat, 42000 Saint-Étienne"
HOSTILE = 'Œuvre <script>alert("1")</script> & Cie'
VALUES: dict[str, Any] = {
    "name": HOSTILE,
    "title": "Apéro des <b>adhérents</b>",
    "number": "F-2027-000123",
    "corrects": "F-2027-000100",
    "issuer": "Traboule Numérique",
    "amount": "1 200,00 €",
    "due_on": "3 février 2027",
    "starts_on": "1 janvier 2027",
    "ends_on": "31 décembre 2027",
    "iban": "FR76 3000",
    "account_ending": "0189",
    "reference": "RF18F2027000123",
    "collected_on": "5 février 2027",
    "mandate": "M-1042",
    "creditor_id": "FR72ZZZ123456",
    "starts_at": "jeudi 26 novembre 2026 à 18:30",
    "offered_until": "mardi 24 novembre 2026 à 12:00",
    "place": "Cité du design",
    "seats": "2",
    "price": "40,00 €",
    "link": "https://adhesion.example/rencontres/1?a=1&b=2",
    "gathering_cancelled": "",
    "rescheduled": "",
    "seated": "yes",
    "shortened": "",
    "reason": "",
    "line": "3",
    "offer_lapsed": "",
    "feed": "https://adhesion.example/p/feed/r/abcd.ics",
    "ticket": "ABCD EFGH IJKL MNOP QRST UV27",
    "ticket_picture": "5a5a@picture.invalid",
    "join": "https://visio.example/salle-1",
    "controller": "Traboule Numérique",
    "origin": "Numelink et Clust'R Numérique",
    "merged_on": "1er janvier 2027",
}
EACH = [(kind, language) for kind in KINDS for language in LANGUAGES]


def a_letter(kind: str, language: Language, **different: str) -> Letter:
    brand = Brand.model_validate(BRAND | {"postal_address": POSTAL})
    return letter_of(kind, language, brand, VALUES | different)


class _Reader(HTMLParser):
    """What a reader sees, and how the page is built."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def plain(text: str) -> str:
    return "".join(text.split())


def used(source: str) -> set[str]:
    """The values that a template names."""
    return {name.split(".")[0] for name in re.findall(r"\{\{ ([a-z_.]+) \}\}", source)} - {
        "brand",
        "language",
        "subject",
    }


@pytest.mark.parametrize(("kind", "language"), EACH)
def test_every_value_that_a_letter_names_comes_out_in_both_parts(kind: str, language: Language) -> None:
    letter, template = a_letter(kind, language), template_of(kind, language)
    seen = plain(" ".join(_Reader(letter.html).texts))
    links = [attributes.get("href") for attributes in _Reader(letter.html).attributes("a")]
    pictures = [attributes.get("src") for attributes in _Reader(letter.html).attributes("img")]
    for name in used(template.html):
        if name == "ticket_picture":
            assert f"cid:{VALUES[name]}" in pictures
            continue
        assert VALUES["link"] in links if name == "link" else plain(VALUES[name]) in seen, name
        assert VALUES[name] in letter.text + letter.subject, f"{name} is missing in the text part"
    for name in used(template.text):
        assert name in used(template.html) | used(template.subject), f"{name} is in the text part alone"


@pytest.mark.parametrize(("kind", "language"), EACH)
def test_a_letter_can_be_read_by_everybody(kind: str, language: Language) -> None:
    letter = a_letter(kind, language)
    page = _Reader(letter.html)
    assert page.attributes("html")[0]["lang"] == language
    assert len(page.attributes("h1")) == 1
    assert all(attributes.get("role") == "presentation" for attributes in page.attributes("table"))
    assert "<title></title>" not in letter.html
    assert len(letter.html.encode()) < 102_000
    assert not page.attributes("script")
    # No picture of another server tells that somebody reads.
    assert all((attributes["src"] or "").startswith("cid:") for attributes in page.attributes("img"))
    assert all(attributes["alt"] for attributes in page.attributes("img"))
    assert "https://fonts." not in letter.html, "nobody else hears that a mail is read"
    for part in (letter.html, letter.text):
        assert BRAND["name"] in part
        assert POSTAL in part
        assert "{" not in re.sub(r"<style.*?</style>", "", part, flags=re.DOTALL)
        assert "  \n" not in part


@pytest.mark.parametrize(("kind", "language"), EACH)
def test_values_are_escaped_in_html_alone_and_a_subject_is_one_line(kind: str, language: Language) -> None:
    letter = a_letter(kind, language, name="A <i>", title="Titre\r\nBcc: all@exemple.fr\x00", issuer="B\u2028C\nD")
    assert "<i>" not in letter.html
    assert "A <i>" in letter.text
    assert letter.subject.replace("\u00a0", "").replace("\u202f", "").isprintable()
    assert letter.subject == letter.subject.strip()


@pytest.mark.parametrize(("kind", "language"), EACH)
def test_a_missing_value_is_no_letter(kind: str, language: Language) -> None:
    brand = Brand.model_validate(BRAND)
    for name in used(template_of(kind, language).html):
        with pytest.raises(TemplateRefusedError, match=name):
            letter_of(kind, language, brand, {key: value for key, value in VALUES.items() if key != name})


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_information_letter_has_the_way_to_object_in_both_parts(language: Language) -> None:
    letter = a_letter("information", language)
    links = [attributes.get("href") for attributes in _Reader(letter.html).attributes("a")]
    assert links == [VALUES["link"], "[[unsubscribe_url]]"]
    assert "[[unsubscribe_url]]" in letter.text
    assert "cnil.fr" in letter.html


def test_parts_that_have_no_value_are_left_out() -> None:
    letter = a_letter("registration", "fr", link="", place="", join="", feed="", ticket="")
    assert "Où" not in letter.html + letter.text
    assert not _Reader(letter.html).attributes("a")
    assert not _Reader(letter.html).attributes("img")
    assert "annuler l’inscription" not in letter.text
    without = letter_of("invoice", "fr", Brand.model_validate(BRAND), VALUES | {"iban": ""})
    assert "IBAN" not in without.html + without.text


@pytest.mark.parametrize(
    ("different", "french", "english"),
    [
        ({}, "votre place libérée", "your seat is free again"),
        ({"gathering_cancelled": "yes", "seated": ""}, "Vous n’avez rien à faire", "nothing for you to do"),
        ({"reason": "registered-twice", "seated": ""}, "la première reste valable", "the first one holds"),
        ({"reason": "offer-lapsed", "seated": ""}, "à temps non plus", "not taken in time either"),
        ({"seated": ""}, "Vous n’êtes plus en liste d’attente", "no longer on the waiting list"),
    ],
)
def test_a_cancellation_says_why_in_both_parts(different: dict[str, str], french: str, english: str) -> None:
    for language, text in (("fr", french), ("en", english)):
        letter = a_letter("cancellation", language, **different)  # pyright: ignore[reportArgumentType]
        assert plain(text) in plain(letter.text)
        assert plain(text) in plain(" ".join(_Reader(letter.html).texts))


def test_an_offer_that_ends_earlier_says_so_in_both_parts() -> None:
    for language, text in (("fr", "a lieu plus tôt"), ("en", "begins earlier")):
        letter = a_letter("offer", language, shortened="yes")  # pyright: ignore[reportArgumentType]
        assert text in letter.text
        assert plain(text) in plain(" ".join(_Reader(letter.html).texts))
        assert VALUES["offered_until"] in letter.text


def test_whoever_had_no_seat_has_nothing_to_take_out_of_a_calendar() -> None:
    example = LETTER_EXAMPLES[RegistrationCancelled]()
    brand = Brand.model_validate(BRAND)
    for seated in (True, False):
        fact = RegistrationCancelled.model_validate(example.model_dump() | {"seated": seated, "session_id": "S1"})
        assert (of_cancellation(fact).calendar(brand) is not None) == seated


def test_text_and_its_background_differ_enough() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    pairs = [("#1f2933", "#ffffff"), ("#52606d", "#ffffff"), ("#52606d", "#eef1f5"), ("#3e4c59", "#eef1f5"),
             ("#ffffff", "#0b5394"), ("#eef2f6", "#1d242c"), ("#b8c4d0", "#1d242c"), ("#b8c4d0", "#12171d"),
             ("#9ecbff", "#1d242c")]  # fmt: skip
    html = template_of("registration", "fr").html
    for pair in pairs:
        assert all(colour in html for colour in pair)
        light, dark = sorted(map(_luminance, pair), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, pair


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def in_body(content: str) -> str:
    return f"<mjml><mj-body><mj-section><mj-column>{content}</mj-column></mj-section></mj-body></mjml>"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<mj-txet>Bonjour</mj-txet>", "no tag mj-txet"),
        ("<mj-text>a</mj-text><MJ-Include path='x' />", "no tag mj-include"),
        ("<mj-font href='https://f.example' />", "no tag mj-font"),
        ("<p>Bonjour</p>", "a text stands in mj-column"),
        ("Bonjour", "a text stands in mj-column"),
        ("<mj-raw>Bonjour</mj-raw>", "a text stands in mj-raw"),
        ("<mj-text>a</mj-text></mj-column>", "no MJML"),
        ("<mj-text>Bonjour", "no MJML"),
        ("<mj-text>{% if a < b %}Bonjour{% endif %}</mj-text>", "no MJML"),
    ],
)
def test_mjml_of_which_anything_would_vanish_is_refused(content: str, reason: str) -> None:
    with pytest.raises(TemplateRefusedError, match=reason):
        html_of(in_body(content))


def test_mjml_keeps_placeholders_and_conditions() -> None:
    html = html_of(in_body("<mj-text>A &amp; B {% if a %}{{ a }}{% endif %}</mj-text>"))
    assert "A &amp; B {% if a %}{{ a }}{% endif %}" in html


@pytest.mark.parametrize(
    "value", [1, 1.5, None, b"x", object(), Decimal(1), date(2027, 1, 1), {"a": [{"b": 1}]}, {1: "a"}]
)
def test_a_value_that_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(TemplateRefusedError, match="write it as text"):
        check_values({"value": value})


def test_a_template_sees_values_and_nothing_else() -> None:
    sandbox = environment(html=False)
    assert rendered(sandbox, "{% for x in a %}{{ x.b }}{{ loop.index }}{% endfor %}", {"a": [{"b": "c"}]}) == "c1"
    for name in ("range", "dict", "cycler", "lipsum", "namespace"):
        with pytest.raises(TemplateRefusedError, match="missing"):
            rendered(sandbox, f"{{{{ {name} }}}}", {})


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", ["1\u202f200,50\u00a0€", "1er février 2027", "jeudi 26 novembre 2026 à 18\u00a0h\u00a030"]),
        ("en", ["€1,200.50", "1 February 2027", "Thursday 26 November 2026 at 18:30"]),
    ],
)
def test_amounts_days_and_moments_are_those_of_the_reader(language: Language, expected: list[str]) -> None:
    at = datetime(2026, 11, 26, 17, 30, tzinfo=UTC)
    written = [
        words.money(Decimal("1200.50"), language),
        words.day(date(2027, 2, 1), language),
        words.moment(at, "Europe/Paris", language),
    ]
    assert written == expected
    assert words.moment(at, "Indian/Reunion", language).endswith(
        ("21:30 (Indian/Reunion)", "21\u00a0h\u00a030 (Indian/Reunion)")
    )
    assert words.day(None, language) == ""


@pytest.mark.parametrize(("language", "label"), [("fr", "Pour le"), ("en", "For")])
def test_what_is_for_one_day_names_no_period(language: Language, label: str) -> None:
    """An invoice of seats at a gathering, and not of dues."""
    letter = a_letter("invoice", language, starts_on="12 mars 2027", ends_on="12 mars 2027")
    for text in (letter.text, letter.html):
        assert "12 mars 2027" in text
        assert "12 mars 2027 – " not in text
        assert label in text


@pytest.mark.parametrize("kind", ["registration", "offer"])
def test_what_costs_nothing_names_no_price(kind: str) -> None:
    assert "Prix" in a_letter(kind, "fr").text
    assert "Prix" not in a_letter(kind, "fr", price="").text
