"""What a form needs to know of a table of settings beyond its fields."""

from typing import Any


def as_form(schema: dict[str, Any]) -> None:
    """Number the fields of a JSON schema as they are declared, and name those that are tables.

    A database may give them back in another order, and a form would call such a table by its class.
    """
    for position, (name, field) in enumerate(schema.get("properties", {}).items()):
        field["position"] = position
        field.setdefault("title", name.replace("_", " ").title())
