"""Puts the console into the gateway."""

from collections.abc import Mapping, Sequence
from functools import cache

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from services.gateway.console import rendering, statics
from services.gateway.console.display import marks_of
from services.gateway.console.errors import answer_refused, answer_sign_in
from services.gateway.console.inside import RefusedError
from services.gateway.console.mounted import Console
from services.gateway.console.pages import (
    access,
    access_trail,
    asked,
    conflicts,
    cutover,
    cutover_differences,
    cutover_late,
    cutover_moves,
    cutover_parity,
    cutover_sections,
    duplicates,
    duplicates_decisions,
    duplicates_evident,
    home,
    member,
    member_ending,
    member_identity,
    member_records,
    member_values,
    members,
    members_export,
    operations,
    operations_message,
    operations_messages,
    signing_in,
)
from services.gateway.console.session import SignInNeededError
from services.gateway.console.waiting import count_waiting
from shared.runtime.clock import Clock
from shared.runtime.clusters import Cluster

PAGES = (
    *(home, members, members_export, member_records, member_ending, member, member_identity, member_values, asked),
    # Before it: a case's address would match theirs; and a member's that of a new member.
    *(duplicates_decisions, duplicates_evident, duplicates),
    *(conflicts, cutover, cutover_sections, cutover_parity, cutover_differences, cutover_moves, cutover_late),
    *(operations, operations_messages, operations_message),
    *(access, access_trail),
)
"""Each has a ``router``, and what waits is counted for it."""


@cache
def _routes() -> Sequence[BaseRoute]:
    """All pages, shared by the applications of a process as the routes of the API are."""
    console = APIRouter()
    console.include_router(statics.router)
    console.include_router(signing_in.router)
    for part in PAGES:
        console.include_router(part.router, dependencies=[Depends(count_waiting)])
    return console.routes


def mount(app: FastAPI, clusters: Mapping[str, Cluster], clock: Clock) -> None:
    """Add all pages, and read their templates, words and files. Raises what is wrong with one of these."""
    app.state.console = Console(marks_of(clusters), clock)
    app.router.routes.extend(_routes())
    app.add_exception_handler(RefusedError, answer_refused)
    app.add_exception_handler(SignInNeededError, answer_sign_in)
    statics.files()
    rendering.environment("fr")
    rendering.environment("en")
