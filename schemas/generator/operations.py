"""The published contract of each operation: who may ask whom, where, with which arguments, and what is answered."""

from typing import Any

from pydantic import BaseModel, TypeAdapter

from schemas.generator.json_schema import DIALECT
from schemas.operation import Operation

FOLDER = "operations"
"""Below ``schemas/published``."""


def contract(operation: Operation) -> dict[str, Any]:
    """One JSON Schema document with both models; what is around them says how to ask."""
    _, definitions = TypeAdapter.json_schemas(
        [
            ("arguments", "validation", TypeAdapter[BaseModel](operation.arguments)),
            ("answer", "serialization", TypeAdapter[BaseModel](operation.answer)),
        ],
        by_alias=True,
        ref_template="#/$defs/{model}",
    )
    return {
        "$schema": DIALECT,
        "$id": f"urn:traboule:operation:{operation.name}",
        "title": operation.name,
        "description": " ".join(operation.summary.split()),
        "x-kind": operation.kind,
        "x-services": list(operation.services),
        "x-right": operation.right,
        **({"x-billing-right": operation.billing_right} if operation.billing_right else {}),
        **({"x-more-rights": dict(operation.more_rights)} if operation.more_rights else {}),
        "x-http": f"{operation.method} {operation.path}",
        "type": "object",
        "properties": {
            "arguments": {"$ref": f"#/$defs/{operation.arguments.__name__}"},
            "answer": {"$ref": f"#/$defs/{operation.answer.__name__}"},
        },
        **definitions,
    }
