"""Bodies made from the arguments of operations: what is in no path, with who decides it and why."""

from typing import Any

from pydantic import create_model

from schemas.operation import Operation
from services.gateway.api.signed import Deciding, Signed


def derived_body(operation: Operation) -> type[Signed]:
    """The body of a command. What its arguments demand of one another is checked when they are put together."""
    fields: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in operation.arguments.model_fields.items()
        if f"{{{name}}}" not in operation.path
    }
    name = f"{operation.arguments.__name__}Body"
    return create_model(name, __base__=Deciding, __doc__=operation.arguments.__doc__, **fields)
