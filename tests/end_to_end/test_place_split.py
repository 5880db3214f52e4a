"""A dataset whose splits are drawn by place: proved, compared with its archives, and told."""

from flows.local import build
from tasks.config import BuildConfig
from tasks.granules import read_catalogue
from tasks.manifest import read_manifest
from tasks.place_split import split_of
from tasks.planning.foresight import foresee
from tasks.rows import open_shard, row_groups
from tasks.verify import verify
from tasks.verify_source import verify_sources


def test_a_dataset_split_by_place_holds_and_says_whose_splits_they_are(planet, tmp_path) -> None:
    sources = {name: planet / name for name in ("bigearthnet", "xbd")}
    config = BuildConfig(
        sources=sources, out=tmp_path / "d", workers=1, split="place", stages=("cap_cot",)
    )
    build(config)
    localities = {
        ref.scene_id: ref.locality for g in read_catalogue(config).granules for ref in g.refs
    }
    for file in read_manifest(config.out).files:
        for group in row_groups(open_shard(config.out / file.path)):
            row = group.read(0)
            assert row.split == split_of(localities[row.scene_id], config.split_shares)
    assert verify(config.out).ok
    assert not verify_sources(config.out, sources).failures
    assert foresee(config, read_catalogue(config)).idle
    gates = [gate for gate in read_manifest(config.out).publication if gate.gate == "splits"]
    assert len(gates) == 6
    assert sum(gate.found for gate in gates) == 2
    card = (config.out / "README.md").read_text()
    assert "are drawn by place, and not the archives' own" in card
    empty = [gate for gate in gates if not gate.found]
    assert ("No samples:" in card) == bool(empty)
