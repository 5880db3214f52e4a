"""A lineage as a Mermaid diagram, as the Prefect UI shows it: each node a link to its run."""

import re
from collections.abc import Mapping

from tasks.lineage.graph import Lineage, Node, changes, lineage_of, short
from tasks.manifest import Manifest

RUN_PAGE = "/v2/runs/flow-run/"  # of a flow run in the Prefect UI, before its id

_SHAPES = {
    "source": ("[(", ")]"),
    "stage": ("[", "]"),
    "checkpoint": ("{{", "}}"),
    "shards": ("[/", "/]"),
    "dataset": ("([", "])"),
}
_STYLES = (
    "classDef source fill:#e2f3ec,stroke:#00694c,color:#1b2024",
    "classDef stage fill:#eef1ee,stroke:#5a646c,color:#1b2024",
    "classDef checkpoint fill:#fdf0d5,stroke:#9a6700,color:#1b2024",
    "classDef shards fill:#e3eef8,stroke:#00528a,color:#1b2024",
    "classDef dataset fill:#00528a,stroke:#00528a,color:#ffffff",
    "classDef changed stroke-width:4px",
)


def markdown_of(manifest: Manifest, before: Manifest | None) -> str:
    """Return a version's lineage as Markdown: the diagram, and what decides a stage otherwise."""
    lineage = lineage_of(manifest, before)
    address = f"{RUN_PAGE}{manifest.run}"
    links = {node.key: address for node in lineage.nodes} if manifest.run else {}
    parent = f", after {short(manifest.parents[0])}" if manifest.parents else ""
    changed = [
        f"- {stage}: {one}\n" for stage, found in changes(manifest, before).items() for one in found
    ]
    return (
        f"Version {manifest.version}, {short(manifest.digest)}{parent}\n\n"
        f"```mermaid\n{mermaid_of(lineage, links)}```\n\n{''.join(changed)}"
    )


def mermaid_of(lineage: Lineage, links: Mapping[str, str]) -> str:
    """Return the diagram; `links` are addresses by the key of a node."""
    names = {node.key: f"n{number}" for number, node in enumerate(lineage.nodes)}
    lines = ["graph TD"]
    lines += [f"  {names[node.key]}{_shaped(node)}:::{node.kind}" for node in lineage.nodes]
    lines += [f"  {names[start]} --> {names[end]}" for start, end in lineage.edges]
    lines += [f'  click {names[key]} "{address}"' for key, address in links.items() if key in names]
    changed = ",".join(names[node.key] for node in lineage.nodes if node.changed)
    lines += [f"  class {changed} changed"] * bool(changed)
    lines += [f"  {style}" for style in _STYLES]
    return "\n".join(lines) + "\n"


def _shaped(node: Node) -> str:
    start, end = _SHAPES[node.kind]
    title = f"<b>{_safe(node.title)}</b>"
    return f'{start}"{"<br/>".join((title, *map(_safe, node.lines)))}"{end}'


def _safe(text: str) -> str:
    """Return a text without the signs that mean something in a diagram."""
    return re.sub(r'["<>#;&]', " ", text)
