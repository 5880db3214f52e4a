from pydantic import BaseModel, ConfigDict

from schemas.form import as_form


class Inner(BaseModel):
    """A table."""

    a: int = 0


class Outer(BaseModel):
    model_config = ConfigDict(json_schema_extra=as_form)

    last_letter: str
    blind_rule: Inner | None = None
    a: int = 0


def test_fields_are_numbered_as_declared_and_tables_are_called_by_their_field() -> None:
    fields = Outer.model_json_schema()["properties"]
    told = {name: (field["position"], field["title"]) for name, field in fields.items()}
    assert told == {
        "last_letter": (0, "Last Letter"),
        "blind_rule": (1, "Blind Rule"),
        "a": (2, "A"),
    }
