"""Templates that somebody wrote: rendered in a process that may break, while the service stays as it is."""

import os
import resource
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.communications.deliveries.message import Letter
from services.communications.letters import outside
from services.communications.letters.outside import (
    OutsideTemplate,
    TemplateProcess,
    TemplateStoppedError,
    letters,
)
from services.communications.letters.sandbox import RESULT_BYTES, SOURCE_BYTES, TemplateRefusedError

MJML = "<mjml><mj-body><mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section></mj-body></mjml>"
PEOPLE = [{"name": "Léa <b>"}, {"name": "Zoé"}]
LOOP = "{% for a in name %}" * 4 + "{% endfor %}" * 4


def a_template(text: str = "Bonjour {{ name }}", content: str = "Bonjour {{ name }}") -> OutsideTemplate:
    return OutsideTemplate("Lettre pour {{ name }}\n", text, MJML.format(content))


def reasons(text: str, people: Sequence[dict[str, str]] = PEOPLE) -> set[str]:
    answers = letters(a_template(text), people)
    assert all(isinstance(answer, str) for answer in answers), "no letter comes of it"
    return {answer for answer in answers if isinstance(answer, str)}


def test_a_letter_for_each_person_and_a_reason_for_whom_a_value_is_missing() -> None:
    first, second, third = letters(a_template(), [*PEOPLE[:1], {}, *PEOPLE[1:]])
    assert isinstance(first, Letter)
    assert (first.subject, first.text) == ("Lettre pour Léa <b>", "Bonjour Léa <b>")
    assert "Bonjour Léa &lt;b&gt;" in first.html
    assert second == "a value is missing: 'name' is undefined"
    assert isinstance(third, Letter)
    assert "Zoé" in third.html


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ 'a' * 200000000 }}", "it cannot be rendered (MemoryError)"),
        ("{{ 9 ** 999999 }}", "it cannot be rendered (ValueError)"),
        ("{{ '%1000000000d' % 1 }}", "it cannot be rendered (MemoryError)"),
        ("{{ 'a' | center(1000000000) }}", "it cannot be rendered (MemoryError)"),
        ("{{ name.__class__ }}", "may not have"),
        ("{{ name | attr('__class__') }}", "may not have"),
        ("{{ '{0.__class__}'.format(name) }}", "may not have"),
        ("{{ name.upper() }}", "may not have"),
        ("{% macro m() %}{% endmacro %}{{ m() }}", "may not have"),
        ("{% include '/etc/passwd' %}", "it includes another template: there is none"),
        ("{% import 'os' as os %}", "it includes another template: there is none"),
        ("{% extends 'layout' %}", "it includes another template: there is none"),
        ("{{ range }}", "'range' is undefined"),
        ("{{ name | xmlattr }}", "it cannot be rendered (AttributeError)"),
        ("{% if %}", "it is no template in line 1"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "it cannot be rendered (RecursionError)"),
    ],
)
def test_a_hostile_template_is_refused_with_a_reason(text: str, reason: str) -> None:
    [answer] = reasons(text)
    assert reason in answer


@pytest.mark.parametrize("text", ["{{ 9 ** 99999999 }}", LOOP])
def test_a_template_that_takes_too_long_is_stopped(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock bounds it too, and is first where others use the processor.
    monkeypatch.setattr(outside, "LETTER_WITHIN", 100.0)
    with pytest.raises(TemplateStoppedError, match="a letter may take a second"):
        letters(a_template(text), [{"name": "a" * 500}])


def children() -> set[str]:
    """Processes that this one started: the servers of other tests too."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.mark.faults
def test_memory_of_the_service_stays_flat_and_no_process_is_left() -> None:
    letters(a_template(), PEOPLE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    opened, running = len(list(Path("/proc/self/fd").iterdir())), children()
    for text in ("{{ 'a' * 200000000 }}", "{{ 'a' * 90000000 }}", "{{ '%1000000000d' % 1 }}") * 3:
        reasons(text)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000, "kB"
    assert len(list(Path("/proc/self/fd").iterdir())) == opened
    assert children() <= running


def test_what_is_too_long_is_refused_before_and_after() -> None:
    with pytest.raises(TemplateRefusedError, match=f"{SOURCE_BYTES} are the most"):
        letters(a_template("a" * (SOURCE_BYTES + 1)), PEOPLE)
    [answer] = reasons("{{ name * 3 }}", [{"name": "a" * (RESULT_BYTES // 2)}])
    assert f"bytes, and {RESULT_BYTES} are the most" in answer


def test_a_misspelt_tag_and_a_value_that_is_no_text_stop_the_batch() -> None:
    with pytest.raises(TemplateRefusedError, match="no tag mj-txet"):
        letters(OutsideTemplate("a", "b", MJML.replace("mj-text", "mj-txet").format("x")), PEOPLE)
    with pytest.raises(TemplateRefusedError, match="write it as text"):
        letters(a_template(), [{"name": object()}])


def test_one_process_serves_several_templates_and_bounds_each_letter() -> None:
    slow = "{% for a in name %}{% for b in name %}{% for c in name %}{% endfor %}{% endfor %}{% endfor %}"
    with TemplateProcess() as process:
        for _ in range(3):
            assert len(process.letters(a_template(slow), [{"name": "a" * 200}] * 3)) == 3
        [first] = process.letters(a_template("Fin"), [{"name": "x"}])
    assert isinstance(first, Letter)


def test_the_process_knows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRABOULE_SECRET_OF_A_TEST", "secret")
    with TemplateProcess() as process:
        environ = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert b"TRABOULE" not in environ
