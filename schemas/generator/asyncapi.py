"""The AsyncAPI 3.0 document: server, exchange, channels, operations and messages, from the catalogue alone.

The schemas of the facts stand beside it in files of their own, and it refers to them.
"""

from collections.abc import Sequence
from typing import Any

from schemas.base import Announced, Content
from schemas.envelope import BATCH, BATCH_EVENTS, BINARY, STRUCTURED, routing_key
from schemas.examples import example_event

EXCHANGE = "traboule"
VHOST = "traboule"
_BINDING = "0.3.0"
_MODES = ("Structured", "Batch", "Binary")
_ABOUT = """\
Facts travel as CloudEvents 1.0 on the topic exchange `traboule`, under the routing key `<cluster>.<service>.<fact>`.
Every message carries the AMQP properties user_id (the broker user, which the broker validates), content_type,
message_id and delivery_mode 2, and is published as mandatory on a channel with publisher confirms.
Operations are told from Traboule's side: what it receives, former systems send."""


_PARAMETERS = {
    "cluster": {"description": "Whose former system it is", "examples": ["numelink"]},
    "responsible": {"description": "The service that it is for", "examples": ["billing"]},
}


def document(facts: Sequence[type[Content]]) -> dict[str, Any]:
    """The whole document as plain data."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:traboule",
        "info": {"title": "Traboule", "version": "1", "description": _ABOUT, "license": {"name": "EUPL-1.2"}},
        "defaultContentType": STRUCTURED,
        "servers": {"broker": _server()},
        "channels": {fact.__name__: _channel(fact) for fact in facts},
        "operations": dict(_operation(fact) for fact in facts),
        "components": {
            "messages": {f"{fact.__name__}{mode}": _message(fact, mode) for fact in facts for mode in _MODES},
            "parameters": _PARAMETERS,
            "securitySchemes": {
                "brokerUser": {
                    "type": "userPassword",
                    "description": "One broker user for each former system, <cluster>.<service>, and one for staff. "
                    "It may write to this exchange only, under routing keys that begin with its own name",
                }
            },
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{host}:{port}",
        "pathname": f"/{VHOST}",
        "protocol": "amqp",
        "protocolVersion": "0.9.1",
        "description": f"RabbitMQ, virtual host {VHOST}",
        "variables": {
            "host": {"default": "localhost", "description": "The broker's address"},
            "port": {"default": "5672", "description": "5671 with TLS"},
        },
        "security": [{"$ref": "#/components/securitySchemes/brokerUser"}],
    }


def _channel(fact: type[Content]) -> dict[str, Any]:
    names = [f"{fact.__name__}{mode}" for mode in _MODES]
    address = routing_key(fact.published_as or "{cluster}", fact, f"{{{fact.addressed_by}}}")
    return {
        "address": address,
        "description": _first_line(fact),
        "servers": [{"$ref": "#/servers/broker"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        **_parameters(address),
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": EXCHANGE, "type": "topic", "durable": True, "autoDelete": False, "vhost": VHOST},
                "bindingVersion": _BINDING,
            }
        },
    }


def _parameters(address: str) -> dict[str, Any]:
    named = {name: {"$ref": f"#/components/parameters/{name}"} for name in _PARAMETERS if f"{{{name}}}" in address}
    return {"parameters": named} if named else {}


def _operation(fact: type[Content]) -> tuple[str, dict[str, Any]]:
    ours = issubclass(fact, Announced)
    publisher = f"{fact.published_as or '<cluster>'}.{fact.service}"
    sent = {"userId": publisher, "deliveryMode": 2, "mandatory": True}
    return f"{'send' if ours else 'receive'}{fact.__name__}", {
        "action": "send" if ours else "receive",
        "channel": {"$ref": f"#/channels/{fact.__name__}"},
        "summary": _first_line(fact),
        "description": f"Published by the broker user {publisher}.",
        "bindings": {"amqp": {**sent, "ack": True, "bindingVersion": _BINDING}},
    }


def _message(fact: type[Content], mode: str) -> dict[str, Any]:
    name = fact.type_name()
    schema = f"./{name}.json"
    event = example_event(fact)
    head = {attribute: value for attribute, value in event.items() if attribute not in ("data", "datacontenttype")}
    headers = {f"ce-{attribute}": value for attribute, value in head.items()}
    modes: dict[str, dict[str, Any]] = {
        "Structured": {
            "contentType": STRUCTURED,
            "summary": "One event, whole in the body",
            "payload": {"$ref": schema},
            "examples": [{"payload": event}],
        },
        "Batch": {
            "contentType": BATCH,
            "summary": f"Events of one type in a JSON array; {BATCH_EVENTS} at most are recommended",
            "payload": {"type": "array", "minItems": 1, "items": {"$ref": schema}},
        },
        "Binary": {
            "contentType": BINARY,
            "summary": "The fact in the body, the event's attributes in headers",
            "headers": {
                "type": "object",
                "required": list(headers),
                "properties": {
                    "ce-specversion": {"const": "1.0"},
                    "ce-id": {"type": "string", "minLength": 1, "maxLength": 200},
                    "ce-source": {"type": "string"},
                    "ce-type": {"const": name},
                    "ce-correlationid": {"type": "string", "minLength": 1, "maxLength": 200},
                },
            },
            "payload": {"$ref": f"{schema}#/$defs/{fact.__name__}"},
            "examples": [{"headers": headers, "payload": event["data"]}],
        },
    }
    return {
        "name": name,
        "title": f"{fact.__name__}, {mode.lower()}",
        **modes[mode],
        "bindings": {"amqp": {"messageType": name, "bindingVersion": _BINDING}},
    }


def _first_line(fact: type[Content]) -> str:
    return (fact.__doc__ or "").split("\n", 1)[0]
