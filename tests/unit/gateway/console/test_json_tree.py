"""A body as a tree, with what is wrong where it is."""

import pytest

from services.gateway.console.json_tree import DEEPEST, MOST, compact, faults_of, pretty, tree_of, wrong_with
from tests.support.present import present

BODY = '{"id": "1", "data": {"gross": "x", "lines": [{"amount": 1.10}], "empty": {}}}'


def test_what_is_wrong_is_marked_where_it_is_and_what_is_missing_stands_there_too():
    wrong = "data.gross: not a number; data.net: Field required; data.lines.0.amount: too small"
    tree = present(tree_of(BODY, wrong))
    assert [node.name for node in tree] == ["id", "data"]
    data = tree[1]
    assert [(node.name, node.text, node.fault) for node in data.children] == [
        ("gross", '"x"', "not a number"),
        ("lines", "", ""),
        ("empty", "{}", ""),
        ("net", "", "Field required"),
    ]
    (amount,) = data.children[1].children[0].children
    assert (amount.name, amount.text, amount.fault) == ("amount", "1.10", "too small")


def test_a_body_that_is_the_data_alone_is_marked_too():
    (node,) = present(tree_of('{"gross": 1}', "data.gross: not a number"))
    assert node.fault == "not a number"


def test_other_details_mark_nothing():
    assert faults_of("the body is not JSON: line 1") == {}
    assert faults_of("source must be /a/b, the publisher's own") == {}


@pytest.mark.parametrize(
    "body", ["", "12", '"x"', "{", "[" * 60_000, "[" * (DEEPEST + 5) + "]" * (DEEPEST + 5), f"[{'1,' * MOST}1]"]
)
def test_what_makes_no_tree_is_shown_as_text(body):
    assert tree_of(body, "") is None
    assert pretty(body).strip() == pretty(body)
    assert compact(body) == body.strip()


def test_what_an_object_says_twice_is_shown_twice():
    assert [node.text for node in present(tree_of('{"a": 1, "a": 2}', ""))] == ["1", "2"]
    assert pretty('{"a":1,"a":2}') == '{\n  "a": 1,\n  "a": 2\n}'


def test_numbers_stay_as_they_are_written():
    assert pretty('{"a":[1.10,1e3,-0],"b":[],"é":null}') == (
        '{\n  "a": [\n    1.10,\n    1e3,\n    -0\n  ],\n  "b": [],\n  "é": null\n}'
    )


def test_it_is_as_short_again_as_it_was():
    body = '{"a":[1.10,{"b":"x: y, \\n"},[],{}],"é":null}'
    assert compact(pretty(body)) == compact(body) == body


@pytest.mark.parametrize(
    ("body", "where"),
    [("{}", None), (f"[{'9' * 5_000}]", None), ("", (1, 1)), ('{"a":\n 1,}', (2, 4)), ("[" * 60_000, (1, 1))],
)
def test_where_it_ceases_to_be_json(body, where):
    found = wrong_with(body)
    assert (found is None) == (where is None)
    if where is not None:
        assert present(found)[0] == where[0]


def test_what_turns_letters_round_is_escaped():
    (node,) = present(tree_of('{"a": "\u202eabc\u00e9\\u0000"}', ""))
    assert node.text == '"\\u202eabcé\\u0000"'
    assert pretty('{"\u202e":1}') == '{\n  "\\u202e": 1\n}'
