"""The table of settings in docs/model.md; run as a module, this writes it anew."""

from pathlib import Path

from terrascope_model.settings import PRESETS, TrainSettings

PAGE = Path(__file__).parents[2] / "docs" / "model.md"
HEAD = "| setting | tiny | large | |\n|---|---|---|---|\n"


def table() -> str:
    """Return each setting with its numbers, in Markdown."""
    large = PRESETS["internvl3-8b"]
    lines = []
    for name, field in TrainSettings.model_fields.items():
        tiny = _told(field.get_default())
        other = _told(large[name]) if name in large else ""
        lines.append(f"| `{name}` | {tiny} | {other} | {field.description} |")
    return HEAD + "\n".join(lines) + "\n"


def _told(value: object) -> str:
    if value == {}:
        return "none"
    return "" if value == "" else f"`{value}`"


if __name__ == "__main__":
    before, _, _ = PAGE.read_text(encoding="utf-8").partition(HEAD)
    PAGE.write_text(before + table(), encoding="utf-8")
