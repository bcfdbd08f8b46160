"""Pages and parts of pages, from templates. All templates are read when the gateway starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from fastapi import Request
from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from starlette.datastructures import URL
from starlette.responses import Response

from services.gateway.auth.caller import Caller
from services.gateway.console.catalogue import Words, words
from services.gateway.console.display import clock_time, day_of
from services.gateway.console.mounted import clock
from services.gateway.console.navigation import GROUPS, Entry, entries
from services.gateway.console.session import LANGUAGE_COOKIE, language_of
from services.gateway.console.statics import address
from services.gateway.console.waiting import counts
from services.membership.translations import Language

__all__ = ["Frame", "environment", "is_part", "page", "part", "words_of"]

_YEAR: Final = 31_536_000
_OTHER: Final[Mapping[Language, tuple[Language, str]]] = {"fr": ("en", "English"), "en": ("fr", "Français")}


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page: who looks, where they can go, what they search for."""

    language: Language
    title: str
    person: str | None
    initials: str
    entries: list[Entry]
    groups: tuple[tuple[str, str], ...]
    other_language: Language
    other_language_name: str
    other_language_address: str
    may_search: bool
    search: str
    has_shortcuts: bool
    printed: str
    is_bare: bool


class _Compiled(BytecodeCache):
    """Templates as they were compiled for one language, for the other: their code is the same."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_COMPILED: Final = _Compiled()


@cache
def environment(language: Language) -> Environment:
    """All templates, in one language."""
    made = Environment(
        loader=PackageLoader("services.gateway.console"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
        cache_size=-1,
    )
    chosen = words(language)
    made.install_gettext_callables(  # pyright: ignore[reportAttributeAccessIssue]
        chosen.message, chosen.messages, newstyle=True
    )
    made.globals["static"] = address  # pyright: ignore[reportArgumentType]
    for name in made.list_templates():
        made.get_template(name)
    return made


def words_of(request: Request) -> Words:
    """The words of the language in which a page is asked for."""
    return words(language_of(request))


def is_part(request: Request) -> bool:
    """Whether only a part of the page is wanted, to be put into the one that is shown."""
    headers = request.headers
    return headers.get("hx-request-type") == "partial" and "hx-history-restore-request" not in headers


def page(
    request: Request,
    person: Caller | None,
    template: str,
    title: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    search: str = "",
    **values: Any,
) -> Response:
    """A page in its frame; ``person`` is None where nobody is signed in, and then there is nothing around it."""
    frame = _frame(request, person, title, search)
    response = _render(request, template, status, headers, {"frame": frame, **values})
    if request.query_params.get("lang") == frame.language:
        response.set_cookie(LANGUAGE_COOKIE, frame.language, max_age=_YEAR, path="/console", samesite="lax")
    return response


def part(
    request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """A part of a page, without a frame."""
    return _render(request, template, status, headers, values)


def _render(
    request: Request, template: str, status: int, headers: Mapping[str, str] | None, values: Mapping[str, Any]
) -> Response:
    language = language_of(request)
    text = environment(language).get_template(template).render(**values)
    return Response(text, status, {"content-language": language, **(headers or {})}, "text/html")


def _frame(request: Request, person: Caller | None, title: str, search: str) -> Frame:
    language = language_of(request)
    chosen = words(language)
    other, other_name = _OTHER[language]
    return Frame(
        language=language,
        title=title,
        person=None if person is None else person.name,
        initials="" if person is None else initials(person.name),
        entries=[] if person is None else entries(person, request.url.path, chosen, counts(request)),
        groups=tuple(zip(GROUPS, ("", chosen.text("Fusion des systèmes"), chosen.text("Métiers")), strict=True)),
        other_language=other,
        other_language_name=other_name,
        other_language_address=_in_language(request.url, other),
        may_search=person is not None and person.may("read-members"),
        search=search,
        has_shortcuts=person is not None and (person.session is None or person.session.shortcuts),
        printed="" if person is None else _printed(request, person, chosen),
        is_bare=person is None,
    )


def _printed(request: Request, person: Caller, chosen: Words) -> str:
    """What stands at the foot of a page on paper."""
    now = clock(request).now()
    return chosen.text(
        "Imprimé le %(day)s à %(time)s par %(name)s, depuis %(address)s",
        day=day_of(now, chosen.language),
        time=clock_time(now, chosen.language),
        name=person.name,
        address=request.url.path,
    )


def initials(name: str) -> str:
    """At most two letters of a name, for its badge."""
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[1:][-1:])).upper()


def _in_language(url: URL, language: Language) -> str:
    other = url.include_query_params(lang=language)
    return f"{other.path}?{other.query}"
