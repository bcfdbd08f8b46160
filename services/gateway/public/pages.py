"""Pages for people without a key: one small document each, in French or English, that needs no script."""

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from services.membership.translations import Language

Name = Literal["unsubscribe", "unsubscribed", "undone"]

_TEMPLATES: Final = Environment(
    loader=PackageLoader("services.gateway.public"), autoescape=True, undefined=StrictUndefined
)
_HIGH: Final = re.compile(r" (?=[:;?!»])|(?<=«) ")
_STYLE: Final = """
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif }
body { max-width: 34rem; margin: 0 auto; padding: 2rem 1.25rem }
h1 { font-size: 1.4rem; line-height: 1.25 }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
button {
  font: inherit; margin-top: .5rem; padding: .6rem 1rem; border: 1px solid currentColor; border-radius: .4rem;
  cursor: pointer
}
button.first { background: #1d4f91; border-color: #1d4f91; color: #fff }
button:focus-visible { outline: 3px solid #e69f00; outline-offset: 2px }
form { margin: 1rem 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1.25rem; margin: 1.25rem 0 }
dt { font-weight: 600 }
dd { margin: 0 }
fieldset { border: 1px solid #8a8a8a; border-radius: .4rem; padding: .25rem 1rem 1rem; margin: 1rem 0; min-width: 0 }
legend { font-weight: 600; padding: 0 .4rem }
label { display: block; margin-top: .75rem }
label.box { display: flex; gap: .6rem; align-items: baseline }
input[type=text], input[type=email] {
  font: inherit; display: block; width: 100%; box-sizing: border-box; margin-top: .2rem; padding: .5rem .6rem;
  border: 1px solid #767676; border-radius: .4rem; background: Field; color: FieldText
}
input[aria-invalid] { border: 2px solid #c4262e }
input:focus-visible, summary:focus-visible, a:focus-visible { outline: 3px solid #e69f00; outline-offset: 2px }
summary { cursor: pointer; margin: 1rem 0; text-decoration: underline }
.hint { font-size: .9rem; margin: .2rem 0 0 }
.error { color: light-dark(#a8071a, #ff9c9c); font-weight: 600; margin: .2rem 0 0 }
.state { border-left: .3rem solid #1d4f91; padding: .1rem 0 .1rem .9rem }
.count { font-size: 1.15rem }
.bar { display: flex; gap: .6rem; align-items: end }
.bar label { flex: 1; min-width: 0 }
.bar button { margin: 0; flex: none }
.asked h2, dialog h2 { margin-top: .75rem }
#sending:not(:empty) { white-space: pre-line; border-left: .3rem solid #1d4f91; padding: .1rem 0 .1rem .9rem }
ul.people { list-style: none; padding: 0; margin: 0 }
ul.people li {
  display: flex; gap: .75rem; align-items: center; justify-content: space-between; min-height: 2.9rem;
  padding: .3rem 0; border-bottom: 1px solid #8a8a8a
}
ul.people span { min-width: 0; overflow-wrap: anywhere }
ul.people small { display: block; font-size: .9rem }
ul.people button { margin: 0; flex: none }
.asked { border: 2px solid #1d4f91; border-radius: .4rem; padding: .25rem 1rem 1rem; margin: 1rem 0 }
dialog { font: inherit; max-width: 28rem; width: calc(100% - 4rem); border-radius: .4rem }
video { width: 100%; border-radius: .4rem; background: #000 }
[hidden] { display: none }
.languages { font-size: .9rem; margin-top: 2rem }
a { color: inherit }
details form { margin: 0 }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .6rem } }
"""


def policy(*, script: bool = False) -> str:
    """The Content-Security-Policy of a page; with ``script`` one of ours may run, and ask us."""
    style = f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
    ours = "; script-src 'self'; connect-src 'self'" if script else ""
    return f"default-src 'none'; {style}{ours}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


_HEADERS: Final = {
    "content-security-policy": policy(),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
    "vary": "accept-language",
}
TEXTS: Final[Mapping[Language, Mapping[str, str]]] = {
    "fr": {
        "unsubscribe": "Ne plus recevoir ces courriels",
        "unsubscribe_text": "Votre choix vaut pour vous, dans toutes nos associations, dès maintenant. "
        "Les factures et les confirmations d'inscription continuent d'arriver.",
        "purpose": "Ne plus recevoir ce type de courriel",
        "everything": "Ne plus rien recevoir d'aucune de nos associations",
        "unsubscribed": "C'est noté",
        "unsubscribed_purpose": "Vous ne recevrez plus ce type de courriel.",
        "unsubscribed_everything": "Vous ne recevrez plus de courriels de nos associations, hors factures et "
        "confirmations.",
        "undo": "C'était une erreur : annuler",
        "undone": "C'est annulé",
        "undone_text": "Vous recevrez de nouveau nos courriels. Vous pouvez changer d'avis à tout moment :",
    },
    "en": {
        "unsubscribe": "Receive no more of these emails",
        "unsubscribe_text": "Your choice holds for you, in all our associations, from now on. "
        "Invoices and confirmations of registrations will still come.",
        "purpose": "No more emails of this kind",
        "everything": "Nothing more from any of our associations",
        "unsubscribed": "Noted",
        "unsubscribed_purpose": "You will receive no more emails of this kind.",
        "unsubscribed_everything": "You will receive no more emails from our associations, but for invoices and "
        "confirmations.",
        "undo": "This was a mistake: undo it",
        "undone": "Undone",
        "undone_text": "You will receive our emails again. You may change your mind at any time:",
    },
}


def page(name: Name, language: Language, scope: str = "purpose") -> Response:
    """One of the pages. Its forms post to the address that it was opened at."""
    return render(name, language, TEXTS[language], scope=scope)


def render(
    name: str,
    language: Language,
    texts: Mapping[str, str],
    *,
    status: int = 200,
    headers: Mapping[str, str] = MappingProxyType({}),
    **values: Any,
) -> Response:
    """A page of a template. A header that is given as empty is left out."""
    template = _TEMPLATES.get_template(f"{name}.html")
    text = template.render(texts=spaced(texts, language), language=language, style=_STYLE, **values)
    kept = {header: value for header, value in {**_HEADERS, **headers}.items() if value}
    return Response(text, status, headers=kept, media_type="text/html")


def spaced(texts: Mapping[str, str], language: Language) -> Mapping[str, str]:
    """French texts with spaces that no line breaks at, before high punctuation and inside guillemets."""
    return {name: _HIGH.sub("\u00a0", text) for name, text in texts.items()} if language == "fr" else texts
