"""JSON Schema 2020-12 of a whole CloudEvent around one fact, as it is published."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.base import Content
from schemas.descriptions import describe
from schemas.envelope import Envelope
from schemas.examples import example_event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NUMBER = r"^-?[0-9]{{1,{digits}}}(\.[0-9]{{1,{places}}})?$"
_ENVELOPE_ORDER = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "correlationid", "data")


class _Generator(GenerateJsonSchema):
    """Pydantic's, except that it tells what our validators in Python ask of amounts: text or whole euros, no float."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        places = schema.get("decimal_places") or 2
        digits = 10 if places == 2 else (schema.get("max_digits") or 12) - places
        most = 10**digits - 1
        return {
            "anyOf": [
                {"type": "string", "pattern": _NUMBER.format(digits=digits, places=places)},
                {"type": "integer", "minimum": -most, "maximum": most},
            ]
        }


def event_schema(fact_type: type[Content]) -> dict[str, Any]:
    """The schema of one structured event: envelope, fact, descriptions, and an example."""
    name = fact_type.type_name()
    raw = Envelope[fact_type].model_json_schema(  # pyright: ignore[reportInvalidTypeArguments]
        schema_generator=_Generator
    )
    definitions = {owner: _model(owner, model) for owner, model in raw["$defs"].items()}
    attributes = _model("Envelope", raw)["properties"]
    attributes["type"] |= {"const": name}
    attributes["source"]["pattern"] = f"^/{_publisher(fact_type)}/{fact_type.service}$"
    return {
        "$schema": DIALECT,
        "$id": f"urn:traboule:{name}",
        "title": fact_type.__name__,
        "description": definitions[fact_type.__name__]["description"],
        "type": "object",
        "properties": {attribute: attributes[attribute] for attribute in _ENVELOPE_ORDER},
        "required": raw["required"],
        "$defs": definitions,
        "examples": [example_event(fact_type)],
    }


def _publisher(fact_type: type[Content]) -> str:
    return fact_type.published_as or "[a-z0-9-]+"


def _model(owner: str, model: dict[str, Any]) -> dict[str, Any]:
    """A model's schema with a description on every field, and without the titles that pydantic makes of names."""
    tidy = {word: value for word, value in model.items() if word not in ("title", "$defs")}
    if "description" in tidy:
        tidy["description"] = tidy["description"].replace("``", "`").replace("\n\n", " ").replace("\n", " ")
    tidy["properties"] = {name: _field(owner, name, field) for name, field in model["properties"].items()}
    return tidy


def _field(owner: str, name: str, field: dict[str, Any]) -> dict[str, Any]:
    silent = ("title", "max_digits", "decimal_places")
    rest = {word: value for word, value in field.items() if word not in silent}
    description = rest.pop("description", None) or describe(owner, name)
    return {"description": description, **rest} if description else rest
