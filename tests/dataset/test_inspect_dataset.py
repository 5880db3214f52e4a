"""What a dataset holds is counted from its shards, not from what the manifest claims."""

from io import StringIO

from rich.console import Console

from tasks.inspect_dataset import answers_of, counts_table, rendered, survey
from tasks.manifest import read_manifest


def text_of(renderable):
    file = StringIO()
    Console(width=140, file=file).print(renderable)
    return file.getvalue()


def test_samples_are_counted_by_every_column(dataset):
    found = survey(dataset, read_manifest(dataset))
    assert found.num_samples == 100
    assert {s: len(ids) for s, ids in found.scene_ids.items()} == {"bigearthnet": 7, "xbd": 4}
    assert found.by["source"] == {"bigearthnet": 88, "xbd": 12}
    assert found.by["tier"] == {"l1": 100}
    assert found.by["split"] == {"train": 100}
    assert found.by["form"].total() == 100
    assert found.crossed["xbd", "count_objects"] == 4
    assert found.places == {
        ("l1", "bigearthnet", "train"): 88,
        ("l1", "xbd", "train"): 12,
    }
    assert found.rejects == {("bigearthnet", "ingest", "missing_file"): 1}


def test_the_tables_show_the_counts(dataset):
    manifest = read_manifest(dataset)
    answers = answers_of(dataset, manifest)
    assert answers["existence", "Yes"] == answers["existence", "No"] == 7
    text = text_of(rendered(survey(dataset, manifest), answers))
    assert "small: 100 samples on 11 scenes" in text
    assert "missing_file" in text
    assert "Yes (7), No (7)" in text


def test_what_a_name_contains_is_not_read_as_markup(dataset):
    manifest = read_manifest(dataset)
    odd = manifest.counts[0].model_copy(update={"stage": "[red]ingest"})
    assert "[red]ingest" in text_of(counts_table([odd]))


def test_a_dataset_without_samples_can_be_looked_at(dataset):
    manifest = read_manifest(dataset).model_copy(update={"files": (), "quarantine": ()})
    assert "0 samples on 0 scenes" in text_of(
        rendered(survey(dataset, manifest), answers_of(dataset, manifest))
    )
