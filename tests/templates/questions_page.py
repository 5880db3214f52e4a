"""docs/questions.md: a golden question of every task; run as a module, this writes it anew."""

import json
from collections.abc import Iterable
from pathlib import Path

from templates.bench import BENCH_QUESTIONS
from templates.composition import SPATIAL_QUESTIONS
from templates.draft import QuestionTemplate
from templates.judging import SEMANTIC_QUESTIONS
from templates.questions import L1_QUESTIONS

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"
GOLDEN = Path(__file__).parents[1] / "golden"
HEAD = """\
# What is asked

The tasks by tier, each with a question of the golden records. The names are those of `tasks` (L1
alone) and `mixture` in a build's configuration, of `--task`, and of the column `task`. Most are
asked with options (`form: choice`) and openly; options that are no fixed set are answers of other
scenes ([adr/0002](adr/0002-options-from-other-scenes.md)). What each answer means exactly, and
where it is not safe enough to be asked, stands in [program.md](program.md).

Besides questions a dataset has captions (Cap-CoT, tier `cap`): reasoning with a mask for each
thing that it speaks of.
"""
TIERS: tuple[tuple[str, str, tuple[QuestionTemplate, ...]], ...] = (
    ("l1", "L1: one step, computed from masks (tier `l1`)", L1_QUESTIONS),
    ("l2", "L2, spatial: several steps (tier `l2_spatial`)", SPATIAL_QUESTIONS),
    ("l2", "L2, semantic: judged by a rule of the [rule book](rulebook.md) (tier `l2_semantic`)",
     SEMANTIC_QUESTIONS),
    ("bench", "Of a bench, with options alone ([bench.md](bench.md), tier `bench`)",
     BENCH_QUESTIONS),
)  # fmt: skip


def page() -> str:
    """Return the page: a table a tier."""
    return HEAD + "".join(f"\n## {title}\n\n{_table(of, some)}" for of, title, some in TIERS)


def _table(golden: str, templates: Iterable[QuestionTemplate]) -> str:
    records = json.loads((GOLDEN / f"{golden}.json").read_text(encoding="utf-8"))
    first = {name.split()[0]: record for name, record in reversed(records.items())}
    lines = [
        f"| `{task}` | {first[task]['question']} | {first[task]['answer']} |\n"
        for task in (template.task for template in templates)
    ]
    return "| task | for example | answer |\n|---|---|---|\n" + "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
