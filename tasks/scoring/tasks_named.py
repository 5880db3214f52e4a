"""The tasks of the paper's bench: their order and short names in its tables."""

PAPER_TASKS = {  # arXiv 2603.19039, table 1
    "coverage_percentage": "CA",
    "absolute_area": "AQ",
    "comparative_ranking": "CR",
    "boundary_relationship": "BRD",
    "boundary_detection": "BRD",  # its name in the published file
    "distance_measurement": "DM",
    "building_change_estimation": "BCE",
    "Agro-Phenology Reasoning": "APR",
    "Numerosity Estimation": "NUM",
    "Spatial-Relationship Inference": "SRI",
    "Building Damage Counting": "BDC",
    "Damaged Road Area Estimation": "DRE",
}
_ORDER = {task: place for place, task in enumerate(PAPER_TASKS)}


def in_paper_order(tasks: set[str]) -> list[str]:
    """Return tasks as the paper's table has them, then all others by name."""
    return sorted(tasks, key=lambda task: (_ORDER.get(task, len(_ORDER)), task))


def short_name(task: str) -> str:
    """Return a task's short name, its own where the paper has none."""
    return PAPER_TASKS.get(task, task)
