"""The evident duplicates at once: all pairs above a certainty, each to be left out, one reason, a result for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words, typeset
from services.gateway.console.choices import Option
from services.gateway.console.display import Mark, cluster_of
from services.gateway.console.forms import Typed, typed, typed_again
from services.gateway.console.inside import Inside
from services.gateway.console.mounted import marks
from services.gateway.console.pages import members
from services.gateway.console.pages.duplicates_case import CERTAINTIES, Side, certainty, percent, side_of
from services.gateway.console.pages.duplicates_evidence import evidence_of, strongest
from services.gateway.console.session import Person

router = APIRouter(include_in_schema=False)

PATH: Final = "/console/doublons/evidents"
MOST: Final = 100
"""The API takes so many decisions at once."""
OFFERED: Final = CERTAINTIES[:3]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two members that may be one company. ``is_ticked``: it is to be decided, until somebody says otherwise."""

    field: str
    address: str
    left: Side
    right: Side
    percent: int
    because: str
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one: the decision's ``number`` and the member that there is now, or why nothing was done."""

    name: str
    other: str
    number: int | None
    member: str | None
    refused: str | None


@router.get(PATH)
async def evident(request: Request, person: Person, certitude: str = "") -> Response:
    """The pairs above a certainty, all ticked."""
    return await _page(request, person, _chosen(certitude))


@router.post(PATH)
async def decide(request: Request, person: Person) -> Response:
    """Say of all that are ticked, and still in question, that they are one company each."""
    fields, inside, words = await typed(request), Inside(request, person), rendering.words_of(request)
    chosen = _chosen(fields.get("certitude", ""))
    ticked = {name.removeprefix("cas_") for name in fields if name.startswith("cas_")}
    listed = await _listed(inside, chosen)
    open_cases = [case for case in listed["items"] if case["id"] in ticked]
    said = {"verdict": "same", "reason": fields.get("reason", "")}
    body = [{**said, "records": case["questions"][0]["records"], "case": case["id"]} for case in open_cases]
    if not body:
        form = Typed({**fields, "_nothing": "yes"})
        return await _page(request, person, chosen, form, status=422)
    answer = await inside.post("/duplicates/decisions", {"decisions": body})
    if answer.is_refusal:
        return await _page(request, person, chosen, typed_again(request, fields, answer), status=answer.status)
    outcomes = zip(open_cases, answer.json["results"], strict=True)
    results = tuple(_result(case, outcome, words) for case, outcome in outcomes)
    # Where nothing came of it, what was typed is there to be mended.
    form = None if any(result.number for result in results) else Typed(fields)
    return await _page(request, person, chosen, form, results=results, gone=len(ticked) - len(open_cases))


async def _page(
    request: Request,
    person: Caller,
    chosen: float,
    form: Typed | None = None,
    *,
    results: Sequence[Result] | None = None,
    gone: int = 0,
    status: int = 200,
) -> Response:
    words = rendering.words_of(request)
    listed = await _listed(Inside(request, person), chosen)
    mine = (case for case in listed["items"] if _may(person, case))
    pairs = tuple(pair_of(case, form, marks(request), words) for case in mine)
    return rendering.page(
        request,
        person,
        "duplicates/evident.html",
        words.text("Les évidents d’un coup"),
        status=status,
        pairs=pairs,
        total=listed["total"],
        options=[Option(f"{each:g}", certainty(each, words), each == chosen) for each in OFFERED],
        chosen=f"{chosen:g}",
        form=form or Typed(),
        results=results,
        done=0 if results is None else sum(result.number is not None for result in results),
        gone=gone,
    )


async def _listed(inside: Inside, chosen: float) -> Mapping[str, Any]:
    asked = {"kind": "pair", "min_probability": f"{chosen:g}", "limit": MOST}
    return (await inside.get("/duplicates", asked)).value()


def _chosen(text: str) -> float:
    return next((each for each in OFFERED if f"{each:g}" == text), OFFERED[0])


def _may(person: Caller, case: Mapping[str, Any]) -> bool:
    return person.may_in_any("decide-identity", map(cluster_of, case["questions"][0]["records"]))


def pair_of(case: Mapping[str, Any], form: Typed | None, marks: Mapping[str, Mark], words: Words) -> Pair:
    """A case as a line; ticked, unless a form was sent in which it was not."""
    by_id = {member["id"]: member for member in case["members"]}
    question = case["questions"][0]
    left, right = (side_of(by_id[member_id], marks, words) for member_id in question["members"])
    for_it, _ = evidence_of(question, words)
    return Pair(
        field=f"cas_{case['id']}",
        address=f"/console/doublons/{case['id']}",
        left=left,
        right=right,
        percent=percent(question["probability"]),
        because=strongest(for_it),
        is_ticked=form is None or bool(form.value(f"cas_{case['id']}")),
    )


def _result(case: Mapping[str, Any], outcome: Mapping[str, Any], words: Words) -> Result:
    left, right = (side_of(member, {}, words).name for member in case["members"])
    if problem := outcome.get("problem"):
        return Result(left, right, None, None, typeset(problem.get("detail") or problem["title"], words.language))
    [member, *_] = outcome["members"].values()
    return Result(left, right, outcome["decision"], f"{members.PATH}/{member}" if member else None, None)
