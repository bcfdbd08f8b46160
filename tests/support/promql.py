"""What a PromQL expression asks for: the metrics it names, and the labels that it looks at."""

import re

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)?\s*\{([^}]*)\}")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_RANGE = re.compile(r"\[[^\]]*\]")
_NAME = re.compile(r"(?<![\w.$])([a-zA-Z_:][\w:]*)\b(?!\s*\()")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"})


def metrics_of(expression: str) -> set[str]:
    """The names of metrics, recorded ones included."""
    bare = _GROUPING.sub(" ", _TEXT.sub('""', expression))
    bare = _RANGE.sub(" ", re.sub(r"\{[^}]*\}", " ", bare))
    return {name for name in _NAME.findall(bare.replace('""', " ")) if name not in _WORDS}


def selected_labels(expression: str) -> set[tuple[str, str]]:
    """Each metric with each label that its selector looks at."""
    bare = _TEXT.sub('""', expression)
    return {(name, label) for name, inside in _SELECTOR.findall(bare) if name for label in _LABEL.findall(inside)}


def grouped_labels(expression: str) -> set[str]:
    """The labels that sums and joins are made by."""
    inside = _GROUPING.findall(_TEXT.sub('""', expression))
    return {label.strip() for item in inside for label in item.split(",") if label.strip()}
