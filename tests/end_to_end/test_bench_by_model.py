"""`terrascope build` of a bench whose questions a model rephrases: what is kept, and proved."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from masks.reference_scene import ReferenceScene
from tasks.manifest import read_manifest
from tasks.proof import prove
from tasks.rows import Row, read_rows
from tasks.verify import verify
from tests.captions.reworded import (
    Faulty,
    another_number,
    asked_of,
    dropped_class,
    swapped,
    told_answer,
    turned_well,
    well_worded,
)
from tests.completer.fault_server import MODEL, Behaviour, FaultServer

pytestmark = pytest.mark.full
ROOT = Path(__file__).resolve().parents[2]
CLIENT = {"backoff_s": 0.01, "max_backoff_s": 0.05, "timeout_s": 5.0, "max_pause_s": 2.0}
ARCHIVES = ("bigearthnet", "chatearthnet", "xbd")


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., FaultServer]]:
    with ExitStack() as servers:

        def start(answer: Any = well_worded, **behaviour: Any) -> FaultServer:
            return servers.enter_context(FaultServer(Behaviour(**behaviour), answer))

        yield start


@pytest.fixture(scope="module")
def configured(
    tmp_path_factory: pytest.TempPathFactory, larger_planet: Path
) -> Callable[..., list[str]]:
    """Write a configuration of a bench; the command that builds it ends with its folder."""

    def command(
        server: FaultServer | None, rephrase: bool = True, client: dict[str, Any] = CLIENT
    ) -> list[str]:
        folder = tmp_path_factory.mktemp("reworded")
        config: dict[str, Any] = {
            "sources": {name: str(larger_planet / name) for name in ARCHIVES},
            "stages": ["bench"],
            "bench": {"options_from": "every_split", "rephrase": rephrase},
            "balance": False,
            "control": {"blind": False, "near_duplicates": False},
        }
        if server is not None:
            where = {"kind": "url", "url": server.base_url, "model": MODEL, "client": client}
            config["composer"] = where
        path = folder / "build.yaml"
        path.write_text(json.dumps(config))  # JSON is YAML
        build = [sys.executable, "-m", "cli", "build", "--config", str(path)]
        return [*build, "--engine", "local", "--workers", "1", "--out", str(folder / "bench")]

    return command


def ran(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def built(command: list[str]) -> Path:
    done = ran(command)
    assert done.returncode == 0, done.stderr
    return Path(command[-1])


def rows_of(dataset: Path) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for file in read_manifest(dataset).files:
        path = dataset / file.path
        ids = pq.read_table(path, columns=["sample_id"]).column(0).to_pylist()
        found |= read_rows(path, set(ids))
    return found


def counted(dataset: Path):
    counts = read_manifest(dataset).counts
    return next(count for count in counts if count.stage == "bench-words")


def written_by(row: Row) -> dict[str, Any]:
    return json.loads(row.provenance.writer) if row.provenance.writer else {}


@pytest.fixture(scope="module")
def plain(configured) -> dict[str, Row]:
    return rows_of(built(configured(None, rephrase=False)))


@pytest.fixture(scope="module")
def good(serve, configured) -> tuple[Path, FaultServer, list[str]]:
    server = serve()
    command = configured(server)
    return built(command), server, command


def test_every_item_is_in_other_words_and_proved_and_else_as_without_a_model(good, plain) -> None:
    dataset, server, _ = good
    rows = rows_of(dataset)
    assert rows.keys() == plain.keys()
    assert len({row.task for row in rows.values()}) > 3
    for id_, row in rows.items():
        template = plain[id_]
        assert row.question == turned_well(template.question)
        assert written_by(row)["asked"] == template.question
        assert (written_by(row)["model"], written_by(row)["prompt"]) == (MODEL, "rephrase@1")
        assert (row.options, row.answer, row.trace) == (
            template.options, template.answer, template.trace
        )  # fmt: skip
        assert template.provenance.writer == ""
    count = counted(dataset)
    assert (count.taken, count.out) == (len(rows), len(rows))
    assert count.tallies["replies"] == server.num_requests == len(rows)
    report = verify(dataset)
    assert report.ok, report.failures[:3]
    assert report.proved == len(rows) > 10


def test_the_dataset_says_who_wrote_and_run_again_it_asks_nothing(good, terrascope) -> None:
    dataset, server, command = good
    asked = server.num_requests
    again = ran(command)
    assert again.returncode == 0, again.stderr
    assert "unchanged" in again.stdout
    assert server.num_requests == asked
    plan = terrascope("plan", *command[4:6], "--out", dataset)
    assert "bench-words" in plan.stdout
    assert "nothing to do" in plan.stdout
    some = next(iter(rows_of(dataset)))
    told = terrascope("lineage", dataset, some).stdout
    assert "prompt: rephrase@1" in told
    assert "asked: " in told
    assert "bench-words 1" in told


def test_a_row_whose_words_were_tampered_with_is_not_proved(good) -> None:
    rows = rows_of(good[0]).values()

    def found(row: Row, **changes: Any) -> set[str]:
        changed = row.model_copy(update=changes)
        return {finding.rule for finding in prove(changed, ReferenceScene(row.evidence))}

    for row in rows:
        writer = written_by(row)
        asked = writer["asked"]
        other = {**writer, "asked": asked.replace("image", "scene").replace("In ", "Within ")}
        of_old = {**writer, "prompt": "rephrase@0"}
        assert found(row) == set()
        assert "wording" in found(row, question=row.question.replace("?", " in 2020?"))
        assert "wording" in found(row, question=swapped(asked))
        assert "wording" in found(row, question=row.question.removesuffix("?"))
        provenance = row.provenance.model_copy
        assert "question" in found(row, provenance=provenance(update={"writer": ""}))
        assert "words" in found(row, provenance=provenance(update={"writer": "{}"}))
        if other["asked"] != asked:
            changed = provenance(update={"writer": json.dumps(other)})
            assert {"question", "sample_id"} & found(row, provenance=changed)
        changed = provenance(update={"writer": json.dumps(of_old)})
        assert "template_version" in found(row, provenance=changed)


def test_of_a_model_that_is_always_wrong_no_word_is_kept_and_each_is_counted(
    serve, configured, plain
) -> None:
    server = serve(Faulty(another_number, dropped_class, told_answer, swapped))
    dataset = built(configured(server))
    rows = rows_of(dataset)
    assert {id_: row.question for id_, row in rows.items()} == {
        id_: row.question for id_, row in plain.items()
    }
    assert not any(row.provenance.writer for row in rows.values())
    count = counted(dataset)
    assert (count.taken, count.out, count.left_out) == (len(rows), 0, len(rows))
    reasons = Counter[str]()
    for name, number in count.reasons.items():
        reasons[name.split(": ")[1]] += number
    assert reasons.total() == len(rows)
    assert {"new_number", "other_classes"} <= reasons.keys()
    assert count.tallies["repair turns"] == len(rows)
    assert verify(dataset).ok


def test_a_call_without_a_reply_is_made_by_the_next_build_and_no_other(serve, configured) -> None:
    server = serve(script=["503"])
    command = configured(server, client={**CLIENT, "retries": 0})
    lost = counted(built(command))
    assert (lost.left_out, lost.tallies["calls without a reply"]) == (1, 1)
    asked = server.num_requests
    assert counted(built(command)).left_out == 0
    assert server.num_requests == asked + 1


def test_rules_have_no_other_words_and_nothing_is_built(configured) -> None:
    command = configured(None)
    done = ran(command)
    assert done.returncode != 0
    assert "composer.kind is rules, which has no other words" in " ".join(done.stderr.split())
    assert not (Path(command[-1]) / ".work").exists()


def test_a_dry_run_counts_calls_and_tokens_and_asks_nothing(serve, configured) -> None:
    server = serve()
    done = ran([*configured(server), "--dry-run"])
    assert done.returncode == 0, done.stderr
    said = re.search(r"rephrasing at most: about (\d+) calls, ([\d,]+) prompt", done.stdout)
    assert said is not None, done.stdout
    calls, tokens = int(said[1]), int(said[2].replace(",", ""))
    assert calls > 10
    assert 200 * calls < tokens < 500 * calls
    assert server.num_requests == 0


def test_another_model_changes_the_words_and_nothing_before(good, serve, configured) -> None:
    dataset, _, command = good
    copied = dataset.parent / "copied"
    shutil.copytree(dataset, copied)
    path = Path(command[command.index("--config") + 1])
    config = json.loads(path.read_text())
    other = serve(lambda body: json.dumps({"question": asked_of(body)}))
    config["composer"]["url"] = other.base_url
    config["composer"]["temperature"] = 0.7
    changed = path.with_name("changed.yaml")
    changed.write_text(json.dumps(config))
    command = [*command[:5], str(changed), *command[6:-1], str(copied)]
    plan = ran([*command[:3], "plan", "--config", str(changed), "--out", str(copied)])
    before = [
        line for line in plan.stdout.splitlines() if re.match(r"(bench(-ask)?|ingest) ", line)
    ]
    assert before
    assert all(line.endswith("kept") for line in before), plan.stdout
    count = counted(built(command))
    assert set(count.reasons) == {f"{row.task}: unchanged" for row in rows_of(copied).values()}
