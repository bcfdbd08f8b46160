"""Pages for people, read as a browser reads them: headings, and the fields that a form would send."""

from html.parser import HTMLParser


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.headings: list[str] = []
        self.labelled: set[str] = set()
        self.ids: list[str] = []
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._within = tag
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "label" and "for" in given:
            self.labelled.add(given["for"])
        if tag == "form":
            assert (given["method"], "action" in given) == ("post", False)
            self.forms.append({})
        if tag in ("button", "input") and "name" in given and given.get("type") != "checkbox":
            self.forms[-1][given["name"]] = given.get("value", "")
        if given.get("type") in ("text", "email"):
            assert given["id"] in self.labelled, "an input without a label"
        if tag == "input" and "checked" in given:
            self.forms[-1][given["name"]] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in ("h1", "h2"):
            self.headings.append(data)


def _read(text: str) -> _Page:
    page = _Page()
    page.feed(text)
    assert len(page.ids) == len(set(page.ids)), "an id that stands twice"
    return page


def forms_of(text: str) -> list[dict[str, str]]:
    """What each form of a page would send."""
    return _read(text).forms


def fields_of(text: str) -> dict[str, str]:
    """What the only form of a page would send."""
    [fields] = _read(text).forms
    return fields


def headings_of(text: str) -> list[str]:
    """The headings of a page, in their order."""
    return _read(text).headings
