"""What the pages of former systems show, made from the API's JSON."""

import pytest

from deploy.provisioning.provision import CLUSTERS
from schemas.cutover_answers import Stage
from services.cutover.preconditions import NEVER_OVERRULED
from services.cutover.stages import MOVES
from services.gateway.console.catalogue import words
from services.gateway.console.display import marks_of
from services.gateway.console.pages import cutover_words
from services.gateway.console.pages.asked import Since, shown_request
from services.gateway.console.pages.cutover import clusters_of, sections_of
from services.gateway.console.pages.cutover_findings import found
from services.gateway.console.pages.cutover_moves import reason_of
from services.gateway.console.pages.cutover_parts import conditions_of, values_of, written_back_of
from shared.runtime.clusters import load_clusters
from tests.support.present import present

MARKS = marks_of(load_clusters(CLUSTERS))
FRENCH = words("fr")
AT = "2026-11-30T09:00:00+00:00"


def a_line(cluster="numelink", service="billing", stage="mirror", **values):
    line = {"cluster": cluster, "service": service, "stage": stage, "since": AT, "by": "zoé", "epoch": 1}
    return {"system": f"{cluster}/{service}", **line, **values}


def a_request(state="waiting", operation="move", answer=None, problem=None):
    return {
        "id": "r1",
        "system": "numelink/billing" if operation == "move" else None,
        "service": "billing",
        "operation": operation,
        "author": "zoé",
        "reason": "Il est temps",
        "at": AT,
        "state": state,
        "answer": answer,
        "problem": problem,
    }


def moved(**values):
    return {"stage": "live", "authority": "Traboule", "epoch": 2, "already": False, "remains": None, **values}


def test_moves_and_stages_are_those_of_the_services():
    assert {stage: set(moves) for stage, moves in cutover_words.MOVES.items()} == {
        stage: {move for move, (origin, _) in MOVES.items() if origin == stage} for stage in cutover_words.STAGES
    }
    assert set(cutover_words.STAGES) == set(Stage.__args__)
    assert cutover_words.NEVER_OVERRULED == NEVER_OVERRULED


def test_the_board_has_each_cluster_once_in_the_order_of_its_marks_with_what_waits():
    counts = {"cluster": "numelink", "late": 2, "differences": 0}
    lines = [a_line(), a_line("clustr-numerique", stage="legacy", since=None), a_line(service="events")]
    first, second = clusters_of(lines, [{"service": "billing", "clusters": [counts]}], MARKS, FRENCH)

    assert [first.mark.letters, second.mark.letters] == ["CR", "NL"]
    assert (first.systems[0].since, first.systems[0].authority) == ("", "Ancien système")
    billing, events = second.systems
    assert [(each.label, each.address) for each in billing.waits] == [
        ("2 messages tardifs", "/console/bascule/numelink/billing/tardifs")
    ]
    assert (events.waits, events.service) == ((), "Événements")
    assert [(stop.is_past, stop.is_current) for stop in billing.track] == [
        (True, False),
        (False, True),
        (False, False),
        (False, False),
    ]


@pytest.mark.parametrize(("stage", "first"), [("legacy", "basculer"), ("mirror", "basculer"), ("live", "revenir")])
def test_conditions_are_those_of_the_move_that_comes_next(stage, first):
    ((group,),) = (clusters_of([a_line(stage=stage)], [], MARKS, FRENCH),)
    sections = sections_of(group.systems[0], FRENCH)
    assert first in sections[0].title
    assert len(sections) == 5


def test_conditions_that_fail_say_what_mends_them():
    def a_condition(name, holds):
        return {"name": name, "holds": holds, "detail": "found", "remedy": "do it", "http": None}

    ways = {"mirror": "/mend", "backup": "/note"}
    shown = conditions_of({"conditions": [a_condition("mirror", False), a_condition("novel", False)]}, ways, FRENCH)
    assert shown.summary == "Il reste 2 choses à faire."
    assert [(each.label, each.can_be_overruled) for each in shown.items] == [
        ("L’ancien système est suivi en miroir", False),
        ("novel", True),
    ]
    assert shown.items[0].remedies == ("do it",)
    assert [each.way for each in shown.items] == ["/mend", None]
    assert all(each.is_raw for each in shown.items)
    well = conditions_of({"conditions": [a_condition("backup", True)]}, ways, FRENCH)
    assert (well.summary, well.items[0].way) == ("Tout est rempli.", None)


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("it is in stage legacy", "Étape\u202f: ancien."),
        ("7 messages wait in a.b, c.d", "Messages en attente\u202f: 7 (a.b, c.d)."),
        (
            "compared at 2026-07-01 22:30 UTC, 3 open differences",
            "Comparé le 2 juil. 2026, 00:30\u202f; écarts ouverts\u202f: 3.",
        ),
        ("membership described 3 of the 4 records that were billed", "Fiches connues\u202f: 3 sur 4."),
        ("something that nobody knows", None),
    ],
)
def test_what_was_found_is_told_in_french(detail, shown):
    assert found(detail, FRENCH) == shown


def test_two_sides_show_first_what_differs():
    values = values_of({"a": 1, "b": "x", "c": [1]}, {"a": 1, "b": "y"})
    assert [(each.field, each.there, each.here, each.is_different) for each in values] == [
        ("b", "x", "y", True),
        ("c", "[1]", "", True),
        ("a", "1", "1", False),
    ]
    assert [each.is_different for each in values_of({"a": "x"}, None)] == [True]


def test_a_move_is_over_when_everybody_heard_of_it():
    waiting = shown_request(a_request(), Since(), FRENCH)
    late = shown_request(a_request(), Since(), FRENCH, is_live=False)
    told = shown_request(a_request("done", answer=moved()), Since(epoch=1), FRENCH)
    over = shown_request(a_request("done", answer=moved(already=True)), Since(epoch=2), FRENCH)
    assert (waiting.is_live, late.is_live, late.is_over, over.is_live) == (True, False, False, False)
    assert waiting.stamp != late.stamp

    assert [step.state for step in waiting.steps] == ["done", "now", "next", "next"]
    assert (waiting.is_over, waiting.outcome) == (False, "")
    assert [step.state for step in told.steps] == ["done", "done", "done", "now"]
    assert not told.is_over
    assert [step.state for step in over.steps] == ["done"] * 4
    assert over.outcome.startswith("C’était déjà fait")
    assert len({waiting.stamp, told.stamp, over.stamp}) == 3


def test_a_refusal_names_the_conditions():
    problem = {"type": "urn:traboule:problem:conditions-not-met", "title": "x", "status": 409}
    problem["conditions"] = [{"name": "grid", "detail": "no grid"}]
    shown = shown_request(a_request("refused", problem=problem), Since(), FRENCH)
    assert shown.is_over
    assert present(shown.refusal).message == "Des conditions ne sont pas remplies"
    assert [each.label for each in shown.unmet] == ["Une grille de cotisations est adoptée"]
    assert [step.state for step in shown.steps] == ["done", "refused", "refused"]


def test_an_answer_that_was_forgotten_is_no_failure():
    shown = shown_request(a_request("done"), Since(), FRENCH)
    assert (shown.is_over, shown.outcome) == (True, "Fait\u202f; la réponse n’est plus gardée.")
    assert shown_request(a_request("done", "close-year"), Since(), FRENCH).is_over


def test_a_reason_is_one_line_with_why_each_condition_does_not_count():
    fields = {"reason": " Il est temps ", "malgre-grid": "oui", "raison-grid": " pas de grille ", "raison-backup": "x"}
    told = reason_of(fields, FRENCH)
    assert told == "Il est temps ; malgré « Une grille de cotisations est adoptée » : pas de grille"
    assert reason_of({**fields, "reason": " "}, FRENCH) == ""


def test_what_is_written_back_is_told_in_numbers():
    item = {"record_id": "7", "new_id": True, "removed": True, "left_out": ["vat"]}
    answer = {"unread": None, "to_be_sent": 0, "given_back": 2, "records": 1, "items": [item], "next": None}
    shown = written_back_of(answer, FRENCH)
    assert shown.facts[0].startswith("Il n’y a pas de file")
    assert shown.facts[2] == "2 messages ont été rendus"
    assert shown.records == ("7 (créée ici, à retirer là-bas, à noter à la main\u202f: vat)",)
