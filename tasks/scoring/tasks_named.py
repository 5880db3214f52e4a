"""The tasks of the paper's bench: their order and short names in its tables."""

import re

PAPER_TASKS = {  # arXiv 2603.19039, table 1
    "coverage_percentage": "CA",
    "absolute_area": "AQ",
    "comparative_ranking": "CR",
    "boundary_relationship": "BRD",
    "boundary_detection": "BRD",  # its name in the published file
    "distance_measurement": "DM",
    "building_change_estimation": "BCE",
    "Agro-Phenology Reasoning (APR)": "APR",
    "Numerosity Estimation (NUM)": "NUM",
    "Spatial-Relationship Inference (SRI)": "SRI",
    "Building Damage Counting": "BDC",
    "Damaged Road Area Estimation": "DRE",
}
_BROUGHT = re.compile(r"\(([A-Z]{2,5})\)$")  # as Landsat30-AU names its tasks
_ORDER = {task: place for place, task in enumerate(PAPER_TASKS)}


def in_paper_order(tasks: set[str]) -> list[str]:
    """Return tasks as the paper's table has them, then all others by name."""
    return sorted(tasks, key=lambda task: (_ORDER.get(task, len(_ORDER)), task))


def short_name(task: str) -> str:
    """Return a task's short name: the paper's, or one that it brings along in brackets."""
    brought = _BROUGHT.search(task)
    return PAPER_TASKS.get(task, brought[1] if brought else task)
