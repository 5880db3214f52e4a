"""The card and the Croissant file say what the shards hold, in the words that hubs read."""

import json

import pytest
import yaml

from schemas.parquet import SAMPLE_SCHEMA
from tasks.card import card, write_card
from tasks.croissant import write_croissant
from tasks.inspect_dataset import size_text, survey
from tasks.manifest import GateResult, RefinedClass, ReviewCount, read_manifest


def header_of(text):
    _, header, body = text.split("---\n", 2)
    return yaml.safe_load(header), body


def written(dataset):
    manifest = read_manifest(dataset)
    return write_card(dataset, manifest, survey(dataset, manifest))


def test_the_header_lists_every_shard_under_its_tier_and_split(dataset):
    header, _ = header_of(written(dataset).read_text())
    assert header["configs"] == [
        {
            "config_name": "l1",
            "data_files": [
                {
                    "split": "train",
                    "path": [
                        "data/l1/bigearthnet-train-b00.parquet",
                        "data/l1/xbd-train-b00.parquet",
                    ],
                }
            ],
        }
    ]
    assert header["license"] == ["cdla-permissive-1.0"]
    assert header["size_categories"] == ["n<1K"]


def test_datasets_loads_the_folder_by_its_card(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    written(dataset)
    loaded = datasets.load_dataset(str(dataset), "l1", cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == {"train": 100}


def test_a_split_that_the_hub_cannot_name_is_renamed(dataset):
    manifest = read_manifest(dataset)
    odd = manifest.files[0].model_copy(update={"split": "tier-3"})
    changed = manifest.model_copy(update={"files": (odd,)})
    header, _ = header_of(card(changed, survey(dataset, manifest)))
    assert header["configs"][0]["data_files"][0]["split"] == "tier_3"


def test_names_cannot_break_the_header_or_a_table(dataset):
    manifest = read_manifest(dataset)
    found = survey(dataset, manifest)
    found.licences["a | b\n<script>"] = {"---\nlicense: none"}
    odd = manifest.model_copy(update={"dataset": "x: [\n---\n# y"})
    header, body = header_of(card(odd, found))
    assert header["pretty_name"] == "x: [ --- # y"
    assert header["license"] == ["cdla-permissive-1.0", "other"]
    assert "| a \\| b &lt;script> | --- license: none |" in body


def test_the_counts_on_the_card_are_those_of_the_shards(dataset):
    _, body = header_of(written(dataset).read_text())
    assert "| existence | 14 | 0 | 14 |" in body
    assert "| all | 88 | 12 | 100 |" in body
    assert "| ingest | scene | 12 | 11 | 1 | 0 |" in body
    assert "| bigearthnet | ingest | missing_file | 1 |" in body
    assert "| xbd | CDLA-Permissive-1.0 | 4 |" in body


def test_the_card_tells_of_refined_masks_where_there_was_an_annotator(dataset):
    manifest = read_manifest(dataset)
    found = survey(dataset, manifest)
    assert "Refined masks" not in card(manifest, found)
    water = RefinedClass(
        source="any",
        layer="cover",
        label="water",
        masks=1200,
        marked=900,
        mean_iou=0.5,
        intersected=300,
        kept_share=0.9,
    )
    text = card(manifest.model_copy(update={"refined": (water,)}), found)
    assert "(300 of 1,200 classes of scenes)" in text


def test_what_was_counted_once_is_not_read_again(dataset, tmp_path):
    manifest = read_manifest(dataset)
    found = survey(dataset, manifest)
    write_card(tmp_path, manifest, found)  # where no shard is
    write_croissant(tmp_path, manifest, found)
    assert (tmp_path / "README.md").read_text() == written(dataset).read_text()


def test_the_card_explains_every_column(dataset):
    card = written(dataset).read_text()
    table = card[card.index("| column |") : card.index("Masks are compressed")]
    told = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name.strip(" `") for cell in told for name in cell.split(",")}
    assert named == set(SAMPLE_SCHEMA.names)


def test_croissant_names_every_file_with_its_digest_and_every_column(dataset):
    manifest = read_manifest(dataset)
    tree = json.loads(write_croissant(dataset, manifest, survey(dataset, manifest)).read_text())
    objects = {d["@id"]: d for d in tree["distribution"] if d["@type"] == "cr:FileObject"}
    assert {name: o["sha256"] for name, o in objects.items()} == {
        file.path: file.sha256 for file in manifest.files
    }
    (records,) = tree["recordSet"]
    assert [f["name"] for f in records["field"]] == [f"l1/{n}" for n in SAMPLE_SCHEMA.names]
    (images,) = [f for f in records["field"] if f["name"] == "l1/images"]
    assert images["dataType"] == "sc:ImageObject"
    assert images["repeated"] is True
    assert images["source"]["transform"] == {"jsonPath": "$[*].bytes"}


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (3_400_000, "3.4 MB"), (5e12, "5000.0 GB")],
)
def test_sizes_are_said_in_the_unit_that_fits(num_bytes, text):
    assert size_text(int(num_bytes)) == text


def test_the_card_says_whose_splits_they_are_and_which_stayed_empty(dataset):
    manifest = read_manifest(dataset)
    found = survey(dataset, manifest)
    assert "**Splits** are the archives' own." in card(manifest, found)
    shares = {"train": 0.9, "validation": 0.0, "test": 0.1}
    drawn = {**manifest.config, "split": "place", "split_shares": shares}
    text = card(manifest.model_copy(update={"config": drawn}), found)
    assert "for train, validation, test with 0.9, 0, 0.1." in text
    assert "No samples: bigearthnet has none in test; xbd has none in test." in text


def test_the_card_tells_what_splits_share_and_how_much_was_allowed(dataset):
    def gate(subject, found, limit):
        return GateResult(gate="leakage", subject=subject, found=found, limit=limit)

    manifest = read_manifest(dataset)
    assert "What splits share" not in card(manifest, survey(dataset, manifest))
    gates = (
        gate("overlapping scenes in two splits", 12, 20),
        gate("touching scenes in two splits", 1300, None),
        gate("images of the same bytes in two splits", 0, 0),
    )
    told = manifest.model_copy(update={"publication": gates})
    text = card(told, survey(dataset, told))
    assert "* overlapping scenes in two splits: 12 (up to 20 were allowed)\n" in text
    assert "* touching scenes in two splits: 1,300\n" in text
    assert "same bytes" not in text


def test_the_card_tells_how_many_people_looked_at_a_bench(dataset):
    manifest = read_manifest(dataset)
    assert "## Review" not in card(manifest, survey(dataset, manifest))
    count = ReviewCount(items=12, verdicts=30, reviewers=3, agreement=0.9, alpha=0.714)
    told = card(manifest.model_copy(update={"reviewed": count}), survey(dataset, manifest))
    assert "30 verdicts, of 3 reviewers, are on 12 items" in " ".join(told.split())
    assert "90% of their pairs agree (Krippendorff's alpha 0.71)." in told
