"""Hugging Face: a folder to push: whole shards, their card and croissant.json, a manifest."""

from tasks.atomic import linked
from tasks.card import write_card
from tasks.croissant import write_croissant
from tasks.errors import ConfigError
from tasks.exports.target import Export
from tasks.inspect_dataset import survey
from tasks.manifest import write_manifest


def write_hf(export: Export) -> None:
    """Link the chosen shards, or copy them, and write card and metadata of just these.

    ConfigError where the choice would cut a shard.
    """
    for option, given in (("task", export.choice.tasks), ("limit", export.choice.limit)):
        if given:
            raise ConfigError(
                f"--{option}: --to hf gives whole shards, chosen by --tier, --split and --source; "
                "leave it out, or take another format"
            )
    manifest = export.manifest.model_copy(update={"files": tuple(export.files)})
    for file in (*manifest.files, *manifest.quarantine):
        linked(export.dataset / file.path, export.folder / file.path)
    found = survey(export.folder, manifest)
    write_card(export.folder, manifest, found)
    write_croissant(export.folder, manifest, found)
    write_manifest(export.folder, manifest)
    export.samples = sum(file.rows for file in manifest.files)
    export.made["shards"] = len(manifest.files)
