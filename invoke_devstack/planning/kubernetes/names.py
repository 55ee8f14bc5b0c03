"""Names and texts as Kubernetes accepts them."""

from __future__ import annotations

import re

_LONGEST = 63
_LONGEST_PORT = 15


def dns_name(name: str) -> str:
    """A name as a label of DNS (RFC 1035): lower case, digits and `-`, the first one a letter."""
    text = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:_LONGEST].rstrip("-")
    return text if text[:1].isalpha() else f"x-{text}"[:_LONGEST].rstrip("-")


def port_name(target: int, protocol: str) -> str:
    """A port's name, unique within a Service."""
    return f"{protocol}-{target}"[:_LONGEST_PORT]


def literal(text: str) -> str:
    """A text of a command or variable, in which Kubernetes would replace `$(NAME)`."""
    return text.replace("$(", "$$(")


def is_annotation(key: str) -> bool:
    """Whether a label's key may be that of an annotation: `[PREFIX/]NAME`."""
    prefix, slash, name = key.rpartition("/")
    is_prefix = not slash or bool(re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", prefix))
    return is_prefix and bool(re.fullmatch(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", name))
