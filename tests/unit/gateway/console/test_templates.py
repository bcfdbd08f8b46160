"""What no template may hold: script or style of its own, and anything that is not escaped."""

import re

import pytest
from jinja2 import StrictUndefined

from services.gateway.console.display import Tag
from services.gateway.console.rendering import environment
from tests.support.console_messages import CONSOLE, TEMPLATES

FORBIDDEN = {
    "a value that is not escaped": r"\|\s*safe\b|Markup|autoescape",
    "a style of its own": r"\sstyle\s*=|<style",
    "a script of its own": r"<script(?![^>]*\ssrc=)|\son[a-z]+\s*=|javascript:|hx-on|js:",
    "an address elsewhere": r"(?:href|src|action)=[\"'](?:https?:)?//",
    "a button that sends by surprise": r"<button(?![^>]*\stype=)",
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(CONSOLE / "templates")))
@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_holds(template, what):
    assert re.search(FORBIDDEN[what], template.read_text(), re.IGNORECASE) is None


def test_no_code_of_the_console_marks_anything_as_safe():
    for source in CONSOLE.rglob("*.py"):
        assert "Markup" not in source.read_text(), source


@pytest.mark.parametrize("language", ["fr", "en"])
def test_templates_escape_and_know_what_they_are_given(language):
    made = environment(language)
    assert made.undefined is StrictUndefined
    assert made.autoescape is True
    assert set(made.list_templates()) == {str(path.relative_to(CONSOLE / "templates")) for path in TEMPLATES}


def test_what_stands_in_a_text_is_escaped_too():
    made = environment("en")
    text = made.from_string("{{ gettext('Bonjour %(name)s', name=name) }}").render(name="<script>")
    assert text == "Hello &lt;script&gt;"


def test_a_state_that_has_no_shorter_word_is_the_same_on_small_screens():
    made = environment("fr").from_string("{% from 'pieces/tags.html' import tag %}{{ tag(one) }}{{ tag(other) }}")
    shown = made.render(one=Tag("good", "<payée>"), other=Tag("attention", "en retard, reste 3 €", "en retard"))
    assert re.findall(r">([^<]+)</span>", shown) == ["&lt;payée&gt;"] * 2 + ["en retard, reste 3 €", "en retard"]


def test_a_picture_stands_in_the_sprite():
    sprite = (CONSOLE / "static" / "icons.svg").read_text()
    known = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    asked = {name for template in TEMPLATES for name in re.findall(r'icon\("([\w-]+)"\)', template.read_text())}
    assert len(asked) > 3
    assert asked - known == set()
    pages = "".join(path.read_text() for path in [*TEMPLATES, *CONSOLE.rglob("*.py")])
    assert [name for name in sorted(known) if f'"{name}"' not in pages] == [], "nobody sees these"
