"""Operations are declared once: each has one handler in each of its services, a route, a body if it is a command."""

import inspect
from typing import Any, get_args

import pytest
from fastapi.routing import APIRoute

from schemas import cutover_operations as declared
from schemas.cutover_requests import CutoverRequested
from schemas.cutover_requests import Operation as Sent
from schemas.operation import Arguments, Operation, Question
from schemas.operations import OPERATIONS, operations_of
from services import SERVICES
from services.cli.registry import definition_of
from services.gateway.api import operations as routes
from services.gateway.api.command_bodies import BODIES
from services.gateway.api.cutover_answers import PROBLEM_OF
from services.gateway.translations import PROBLEMS
from services.operations.binding import Bound, RefusedError, table

NAMES = [operation.name for operation in OPERATIONS]
COMMANDS = [operation for operation in OPERATIONS if operation.kind == "command"]


@pytest.mark.parametrize("service", SERVICES)
def test_each_operation_has_one_handler_and_each_handler_one_operation(service: str) -> None:
    bound = definition_of(service).every_operation
    assert sorted(bound) == sorted(operation.name for operation in operations_of(service))
    for operation in operations_of(service):
        assert bound[operation.name].operation is operation
        assert inspect.iscoroutinefunction(bound[operation.name].handler)


def test_every_service_that_is_named_exists_and_every_name_is_used_once() -> None:
    assert len(NAMES) == len(set(NAMES))
    assert {service for operation in OPERATIONS for service in operation.services} <= set(SERVICES)
    assert set(declared.SERVICES) == set(SERVICES)


def test_two_handlers_of_one_name_are_refused() -> None:
    async def handler(_: Any) -> dict[str, Any]:
        return {}

    twice = Bound(declared.STAGE, handler)
    with pytest.raises(ValueError, match="two handlers are bound to standing"):
        table([twice, twice])


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_each_has_a_route_for_each_service_of_its_own_with_its_role(operation: Operation) -> None:
    router = routes.routes([operation])
    every = [route for route in router.routes if isinstance(route, APIRoute)]
    assert [route.path for route in every if route.deprecated] == [path for path in [operation.former_path] if path]
    paths = [(route.path, *(route.methods or ())) for route in every if not route.deprecated]
    if operation.about_system or operation.asks_every_service:
        assert paths == [(operation.path, operation.method)]
    else:
        assert paths == [(operation.path.replace("{service}", name), operation.method) for name in operation.services]


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_each_says_what_it_does_in_both_languages(operation: Operation) -> None:
    assert operation.summary
    assert operation.summary_fr
    assert operation.summary != operation.summary_fr


@pytest.mark.parametrize("operation", COMMANDS, ids=[each.name for each in COMMANDS])
def test_a_command_has_a_body_with_its_arguments_a_verb_and_a_place_on_the_wire(operation: Operation) -> None:
    body = BODIES[operation.name]
    in_body = {name for name in operation.arguments.model_fields if f"{{{name}}}" not in operation.path}
    assert in_body <= set(body.model_fields)
    assert operation.verb
    assert operation.name in get_args(Sent)


def test_nothing_but_commands_has_a_body() -> None:
    assert set(BODIES) == {operation.name for operation in COMMANDS}


def test_what_was_ever_sent_durably_still_has_a_handler() -> None:
    """A gateway of the version before sends queries as it sends commands."""
    assert {operation.name for operation in declared.CUTOVER} <= set(get_args(Sent))
    assert set(get_args(Sent)) <= set(NAMES)
    assert set(get_args(CutoverRequested.model_fields["responsible"].annotation)) == set(SERVICES)


def test_every_refusal_has_a_problem() -> None:
    assert set(PROBLEM_OF.values()) <= set(PROBLEMS)


def test_an_unknown_argument_is_refused_unless_the_route_is_older_than_that_rule() -> None:
    assert Arguments.model_config.get("extra") == "forbid"
    lenient = {operation.name for operation in OPERATIONS if operation.arguments.model_config.get("extra") == "ignore"}
    assert lenient <= {operation.name for operation in declared.CUTOVER}


def test_a_refusal_says_its_kind_and_why() -> None:
    assert RefusedError("late-unknown", "there is none").as_json() == {
        "kind": "late-unknown",
        "detail": "there is none",
    }


def test_a_question_is_closed() -> None:
    with pytest.raises(ValueError, match="surprise"):
        Question.model_validate({"operation": "x", "arguments": {}, "author": "z", "surprise": 1})
