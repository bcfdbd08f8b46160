"""All that services can find, refuse or park has its French words on pages. Codes and texts are read in the code."""

import ast
import itertools
import re
from pathlib import Path
from typing import get_args

import pytest

from services.communications.brands.dns_records import Verdict
from services.cutover.parity.compare import What
from services.gateway.api.cutover_answers import PROBLEM_OF
from services.gateway.console.catalogue import words
from services.gateway.console.pages.cutover_findings import found
from services.gateway.console.pages.cutover_service_findings import why_unreadable
from services.gateway.console.pages.cutover_words import condition_name, difference_name, kind_name
from services.gateway.console.pages.operations_words import reason_name
from services.gateway.translations import PROBLEMS

ROOT = Path(__file__).parents[4]
SERVICES = ROOT / "services"
FRENCH, ENGLISH = words("fr"), words("en")
SAMPLES = ("7", "a.b", "mirror", "2026-11-30", "missing")
"""What may stand where the code puts a value: a number, a name, a stage, a day, a verdict."""
MOMENT = "2026-11-30 09:00"


class Texts(ast.NodeVisitor):
    """The texts that an expression of a module can come to, with samples where it cannot be seen."""

    def __init__(self, module):
        self.functions = {
            node.name: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    def of(self, node, within, depth=0):
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.JoinedStr(values=parts):
                each = [sorted(self.of(part, within, depth)) for part in parts]
                return {"".join(combined) for combined in itertools.product(*each)}
            case ast.FormattedValue(format_spec=ast.JoinedStr()):
                return {MOMENT}
            case ast.FormattedValue(value=value):
                return self.of(value, within, depth)
            case ast.IfExp(body=yes, orelse=no):
                return self.of(yes, within, depth) | self.of(no, within, depth)
            case ast.BoolOp(values=values):
                return set().union(*(self.of(value, within, depth) for value in values))
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                return self.of(value, within, depth)
            case ast.Call(func=ast.Attribute(attr="join"), args=[parts]):
                return self.of(parts, within, depth)
            case ast.Call(func=ast.Name(id="filter"), args=[_, parts]):
                return self.of(parts, within, depth) - {""}
            case ast.Call(func=ast.Name(id="str"), args=[value]):
                return self.of(value, within, depth)
            case ast.Call(func=ast.Name(id=name)) if name in self.functions and depth < 4:
                function = self.functions[name]
                returned = [n.value for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
                return set().union(*(self.of(value, function, depth + 1) for value in returned))
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
                return self.of(element, within, depth)
            case ast.List(elts=elements):
                return set().union(*(self.of(element, within, depth) for element in elements))
            case ast.Name(id=name) if depth < 6 and (values := self.assigned(name, within)):
                return set().union(*(self.of(value, within, depth + 1) for value in values))
            case _:
                return set(SAMPLES)

    @staticmethod
    def assigned(name, within):
        """What a function gives a name, in ``name = …``, ``(name := …)`` and a comprehension's ``if``."""
        values = []
        for node in ast.walk(within):
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    values.append(value)
                case ast.NamedExpr(target=ast.Name(id=target), value=value) if target == name:
                    values.append(value)
                case ast.comprehension(
                    target=ast.Tuple(elts=[ast.Name(id=target), _]),
                    iter=ast.Call(func=ast.Attribute(value=ast.Name(id=table), attr="items")),
                ) if target == name:
                    for each in ast.walk(within):
                        match each:
                            case ast.Assign(targets=[ast.Name(id=other)], value=ast.Dict(keys=keys)) if other == table:
                                values += keys
                            case _:
                                continue
                case _:
                    continue
        # ``detail = f"{detail}: more"`` says itself and more.
        own = [v for v in values if any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(v))]
        return [value for value in values if value not in own] if len(values) > len(own) else []


def constructed(name, folder=SERVICES):
    """Each call of a class by this name in the services, with its module's texts and its function."""
    for path in sorted(folder.rglob("*.py")):
        source = path.read_text()
        if f"{name}(" not in source or "console" in path.parts:
            continue
        module = ast.parse(source)
        texts = Texts(module)
        for function in texts.functions.values():
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                    yield path, texts, function, node


CONDITIONS = [
    (path.relative_to(SERVICES).as_posix(), ast.literal_eval(call.args[0]), sorted(texts.of(call.args[2], function)))
    for path, texts, function, call in constructed("Condition")
]


def test_conditions_of_every_service_are_looked_at():
    assert {path.partition("/")[0] for path, _, _ in CONDITIONS} == {"cutover", "billing", "events", "communications"}
    assert len(CONDITIONS) > 25


@pytest.mark.parametrize(("name", "path"), sorted({(name, path) for path, name, _ in CONDITIONS}))
def test_every_condition_is_a_sentence(name, path):
    assert condition_name(name, FRENCH) != name, path
    assert condition_name(name, ENGLISH) != name, path


def forms(texts):
    """Texts without their samples: one of each form."""
    made = {}
    for text in texts:
        form = re.sub("|".join(map(re.escape, (MOMENT, *SAMPLES))), "…", text)
        made.setdefault(form, []).append(text)
    return made


@pytest.mark.parametrize(("path", "name", "texts"), CONDITIONS)
def test_whatever_a_condition_finds_is_said_in_both_languages(path, name, texts):
    for form, said in forms(texts).items():
        if not re.search("[a-z]", form):
            continue  # nothing but values: what they say is looked at where it is made
        for language in (FRENCH, ENGLISH):
            assert any(found(text, language) for text in said), (path, name, form)


NEVER = "its objections were never compared with what its former system holds"
UNKNOWN = "2 documents that were issued here stand, and the former system has not said them"
ELSEWHERE = "1 stand on records of other clusters for members that it knows too: it would bill the same again"


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        (
            "3 messages wait in a.b, 2 messages are to be sent there",
            "Messages en attente : 3 (a.b). Messages à lui envoyer : 2.",
        ),
        (
            "numelink: SPF of the return path is missing; DMARC is wrong",
            "Absent du DNS : SPF de l’adresse de retour. Faux dans le DNS : DMARC.",
        ),
        (
            "b: DKIM, DMARC are right; the relay signs (DKIM), which is not checked here",
            "Bien réglés : DKIM, DMARC. Le relais signe (DKIM) : ce n’est pas vérifié ici.",
        ),
        (f"a: 3 open differences; b: {NEVER}", "Écarts ouverts de a : 3. Refus jamais comparés : b."),
        (
            f"{UNKNOWN}; {ELSEWHERE}",
            "Factures émises ici qu’il ne connaît pas, et qu’il referait : 2. "
            "Factures de ses membres émises pour d’autres clusters, et qu’il referait : 1.",
        ),
        ("a: 3 open differences; and something else", None),
    ],
)
def test_several_findings_in_one_line_are_said_one_by_one(detail, shown):
    said = found(detail, FRENCH)
    assert (said and said.replace("\u202f", " ")) == shown


def test_what_dkim_keys_lack_is_said_too():
    said = {
        text for _, texts, function, call in constructed("DkimKeyError") for text in texts.of(call.args[0], function)
    }
    assert len(forms(said)) >= 3
    for form, texts in forms(said).items():
        assert any(found(f"brand: {text}", FRENCH) for text in texts), form


@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_every_verdict_about_dns_is_said_and_every_record_has_its_name(verdict):
    asked = {
        text
        for _, texts, f, call in constructed("Wanted", SERVICES / "communications")
        for text in texts.of(call.args[0], f)
    }
    assert asked == {"SPF of the return path", "where bounces go", "DMARC", "DKIM"}
    for what in asked:
        said = found(f"brand: {what} {'are' if verdict == 'right' else 'is'} {verdict}", FRENCH)
        assert said is not None, (what, verdict)
        assert what not in said or what.isupper()


def test_every_reason_of_a_parked_message_has_its_words():
    # That the page lists every reason of the code, test_published holds.
    section = (ROOT / "schemas" / "PRODUCERS.md").read_text().split("| reason |")[1].split("\n\n")[0]
    reasons = re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE)
    assert len(reasons) > 25
    for language in (FRENCH, ENGLISH):
        assert [reason for reason in reasons if reason_name(reason, language) == reason] == []


def refusal_kinds(*classes):
    """The kinds of refusals that are named where these are made, each with its file."""
    return {
        (path.relative_to(SERVICES).as_posix(), kind)
        for name in classes
        for path, texts, function, call in constructed(name)
        if call.args
        for kind in texts.of(call.args[0], function) - set(SAMPLES)
    }


def test_every_refusal_of_services_and_routes_has_a_french_and_an_english_title():
    answered, refused = refusal_kinds("RefusedError", "CutoverError"), refusal_kinds("ProblemError")
    assert len({kind for _, kind in answered}) > 40
    assert len({kind for _, kind in refused}) > 30
    assert sorted((path, kind) for path, kind in answered if PROBLEM_OF.get(kind) not in PROBLEMS) == []
    assert sorted((path, kind) for path, kind in refused if kind not in PROBLEMS) == []
    assert [kind for kind, (_, french, english) in PROBLEMS.items() if not french or not english] == []


def test_every_way_in_which_two_sides_differ_has_its_words():
    assert [what for what in get_args(What) if difference_name(what, FRENCH) == what] == []
    kinds = {text for _, texts, f, call in constructed("Difference") for text in texts.of(call.args[0], f)} - {*SAMPLES}
    assert {"manifest", "row"} <= kinds
    assert [kind for kind in sorted(kinds) if kind_name(kind, FRENCH) == kind] == []
    whys = {text for _, texts, f, call in constructed("_unlikely") for text in texts.of(call.args[2], f)}
    assert len(whys) == 2
    assert [why for why in sorted(whys) if why_unreadable(why, FRENCH) == why] == []
    assert why_unreadable("it is no day", FRENCH) == "it is no day"
