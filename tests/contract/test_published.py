"""What producers read says what the code does: schemas, AsyncAPI document, page and examples."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker

from schemas.base import Announced, Fact
from schemas.catalogue import FACTS
from schemas.envelope import BATCH, STRUCTURED, Envelope, encode
from schemas.examples import EXAMPLES, example_event
from schemas.generator import asyncapi, publish
from schemas.reading import read
from shared.messaging import consumer, topology

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
ASYNCAPI_SPECS = "@asyncapi/specs@6.11.1"
FACT_NAMES = [fact.__name__ for fact in FACTS]


def published(fact: type[Fact]) -> Any:
    return json.loads((SCHEMAS / "published" / f"{fact.type_name()}.json").read_text())


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads((SCHEMAS / "published" / "asyncapi.json").read_text())


# --- files ----------------------------------------------------------------------------------------------------------


def test_published_files_are_what_the_code_says() -> None:
    result = publish.compare()
    assert [path.name for path in result.drifted] == [], "run make schemas"


def test_published_files_accept_what_they_accepted() -> None:
    assert publish.compare().incompatible == []


def test_generating_twice_gives_the_same_bytes() -> None:
    assert publish.compare().wanted == publish.compare().wanted


# --- schemas and examples -------------------------------------------------------------------------------------------


def test_every_fact_has_one_example() -> None:
    assert set(EXAMPLES) == set(FACTS)


@pytest.mark.parametrize("fact", FACTS, ids=FACT_NAMES)
def test_the_example_is_accepted_by_the_schema_and_by_the_services(fact: type[Fact]) -> None:
    schema, event = published(fact), example_event(fact)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(event)
    [envelope] = read(fact, orjson.dumps(event), STRUCTURED, {})
    assert isinstance(envelope, Envelope), envelope
    assert envelope.data == EXAMPLES[fact]()


@pytest.mark.parametrize("fact", FACTS, ids=FACT_NAMES)
def test_every_field_is_described(fact: type[Fact]) -> None:
    schema = published(fact)
    models = {"": schema, **schema["$defs"]}
    silent = [f"{m}.{name}" for m, model in models.items() for name, f in model["properties"].items()
              if "description" not in f]  # fmt: skip
    assert silent == []


@pytest.mark.parametrize("fact", FACTS, ids=FACT_NAMES)
def test_schema_and_services_refuse_alike(fact: type[Fact]) -> None:
    validator = Draft202012Validator(published(fact))
    wrong: list[dict[str, Any]] = []
    for change in ({"colour": "red"}, {"version": -1}, {"version": None}, {"version": 2**63}):
        event = example_event(fact)
        event["data"] |= change
        wrong.append(event)
    attributes = ({"specversion": "0.3"}, {"id": ""}, {"type": "other"}, {"source": "numelink"}, {"data": None})
    wrong += [example_event(fact) | change for change in attributes]
    for event in wrong:
        assert not validator.is_valid(event)
        [refused] = read(fact, orjson.dumps(event), STRUCTURED, {})
        assert not isinstance(refused, Envelope)


@pytest.mark.parametrize("amount", [480.5, "12345678901.00", "1.005", "NaN", None, "1,50"])
def test_schema_and_services_refuse_the_same_amounts(amount: Any) -> None:
    fact: Any = next(fact for fact in FACTS if fact.__name__ == "PaymentRecorded")
    event = example_event(fact)
    event["data"]["amount"] = amount
    assert not Draft202012Validator(published(fact)).is_valid(event)
    [refused] = read(fact, orjson.dumps(event), STRUCTURED, {})
    assert not isinstance(refused, Envelope)


# --- AsyncAPI -------------------------------------------------------------------------------------------------------


def test_the_document_names_the_exchange_that_is_there() -> None:
    assert (asyncapi.EXCHANGE, asyncapi.VHOST) == (topology.EXCHANGE, topology.VHOST)


def test_every_fact_has_a_channel_an_operation_and_three_messages(document: Any) -> None:
    assert document["asyncapi"] == "3.0.0"
    assert list(document["channels"]) == FACT_NAMES
    assert len(document["operations"]) == len(FACTS)
    for fact in FACTS:
        channel = document["channels"][fact.__name__]
        ours = issubclass(fact, Announced)
        pattern = fact.binding().replace("*", "{cluster}", fact.published_as is None)
        pattern = pattern.replace("*", f"{{{fact.addressed_by}}}")
        assert channel["address"] == pattern
        assert document["operations"][f"{'send' if ours else 'receive'}{fact.__name__}"]["channel"] == {
            "$ref": f"#/channels/{fact.__name__}"
        }
        types = [document["components"]["messages"][name]["contentType"] for name in channel["messages"]]
        assert types == [STRUCTURED, BATCH, "application/json"]


def test_every_reference_points_at_something(document: Any) -> None:
    references: list[str] = []
    json.loads(json.dumps(document), object_hook=lambda node: references.append(node["$ref"]) if "$ref" in node else 0)
    assert references
    for reference in references:
        file, _, pointer = reference.partition("#")
        target = json.loads((SCHEMAS / "published" / file).read_text()) if file else document
        for part in pointer.strip("/").split("/") if pointer else ():
            target = target[part]
        assert target


def test_the_document_is_valid_asyncapi(document: Any, tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which brings AsyncAPI's own schema, is not installed")
    install = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", ASYNCAPI_SPECS]
    done = subprocess.run(install, cwd=tmp_path, capture_output=True, text=True, timeout=110)
    if done.returncode:
        pytest.skip(f"npm could not install {ASYNCAPI_SPECS}: {done.stderr.strip()[-200:]}")
    schema = tmp_path / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0-without-$id.json"
    errors = Draft7Validator(json.loads(schema.read_text())).iter_errors(document)
    assert [f"{error.json_path}: {error.message[:200]}" for error in errors] == []


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_page_shows_an_example_of_every_type() -> None:
    page = (SCHEMAS / "PRODUCERS.md").read_text()
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    for fact in FACTS:
        assert example_event(fact) in blocks


def test_the_page_lists_every_reason_and_no_other() -> None:
    # Every reason is written in the code as a string of its own, the first of (reason, detail).
    calls = (
        "(?:Refused|Refusal|Park|LastResortMessage)\\(",
        "_whole\\(delivery, ",
        "raw_item\\(self.queue, raw, ",
        "to_park\\(delivery, message, ",
    )
    named = f'(?:{"|".join(calls)}|return |else )"([a-z0-9-]+)"'
    sources = [
        SCHEMAS / "reading.py",
        *(ROOT / "shared" / "messaging").glob("*.py"),
        *(ROOT / "services").rglob("*.py"),
    ]
    refusing = [
        text
        # Pages refuse no message.
        for text in (source.read_text() for source in sources if "console" not in source.parts)
        if re.search("Refus|Park|LastResortMessage|forge", text)
    ]
    in_code = {reason for text in refusing for reason in re.findall(named, text)}
    page = (SCHEMAS / "PRODUCERS.md").read_text()
    section = page.split("| reason |")[1].split("\n\n")[0]
    assert in_code == set(re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE))


def test_the_page_tells_the_limit_that_is_applied() -> None:
    assert f"{consumer.MAX_BODY // 2**20} MiB" in (SCHEMAS / "PRODUCERS.md").read_text()


def test_a_batch_of_examples_can_be_read() -> None:
    facts = [EXAMPLES[FACTS[0]](), EXAMPLES[FACTS[0]]().model_copy(update={"record_id": "1043"})]
    message = encode("/numelink/membership", facts)
    assert [type(e) for e in read(FACTS[0], message.body, message.content_type, {})] == [Envelope[FACTS[0]]] * 2
