"""The pages' templates, and how they write the tasks and tiers that addresses name."""

from pathlib import Path

import jinja2

from schemas.tier import Tier
from tasks.shown import PAGES as REPORT_PAGES
from tasks.shown import templates_in

PAGES = Path(__file__).with_name("pages")
_TIERS: dict[str, str] = {
    Tier.CAP: "captions",
    Tier.L1: "L1",
    Tier.L2_SPATIAL: "L2 spatial",
    Tier.L2_SEMANTIC: "L2 semantic",
    Tier.BENCH: "bench",
}


def page_templates() -> jinja2.Environment:
    """Return the pages' templates, with those of the report that they share; `worded` in them."""
    templates = templates_in(PAGES, REPORT_PAGES)
    templates.filters["worded"] = worded
    return templates


def worded(value: str, name: str) -> str:
    """Return the value of a filter as people read it: a task or a tier in words, all else as is."""
    if name == "tier":
        return _TIERS.get(value, value)
    return value.replace("_", " ") if name == "task" else value
