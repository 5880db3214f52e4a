"""`terrascope build` with a model that composes L2 questions: what is kept, refused and proved."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pycocotools import mask as coco

from masks.reference import evaluate
from masks.reference_scene import ReferenceScene, decode_rle
from schemas.mask import Evidence, Invalid, LayerInfo, MaskKind, SceneMask
from schemas.parquet import SAMPLE_SCHEMA
from schemas.program import load_program
from schemas.trace import value_text
from schemas.value import Quantity, Value
from tasks.verify import verify
from tests.captions.composed import SIGN, Mistaken, turned, well_composed
from tests.captions.prompted import FAULT_MIX, text_of, well_read
from tests.completer.fault_server import MODEL, Behaviour, FaultServer

ROOT = Path(__file__).resolve().parents[2]
CLIENT = {"backoff_s": 0.01, "max_backoff_s": 0.05, "timeout_s": 3.0, "max_pause_s": 2.0}
ARCHIVES = ("bigearthnet", "chatearthnet", "xbd")
LIMIT = 4
COMPOSER = "You write exam questions"
Row = dict[str, Any]


def role_of(body: dict[str, Any]) -> str:
    """Return who is asked: composer, captioner, judge or blind."""
    if body["messages"][0]["role"] == "system":
        return "composer" if COMPOSER in text_of(body, "system") else "captioner"
    return "blind" if "You cannot see the image" in text_of(body) else "judge"


def answering(composer: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """Return a server's answers to all four."""

    def answer(body: dict[str, Any]) -> str:
        match role_of(body):
            case "composer":
                return composer(body)
            case "captioner":
                return well_read(body)
            case "blind":
                return json.dumps({"letter": "A"})
        natural = 1 if "What percentage" in text_of(body) else 5
        return json.dumps({"naturalness": natural, "difficulty": 3, "needs_image": True})

    return answer


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., FaultServer]]:
    with ExitStack() as servers:

        def start(composer: Any = well_composed, **behaviour: Any) -> FaultServer:
            return servers.enter_context(FaultServer(Behaviour(**behaviour), answering(composer)))

        yield start


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory, planet: Path) -> Callable[..., list[str]]:
    """Write a configuration of a build by URL; the command that runs it ends with its folder."""

    def command(server: FaultServer, stages: tuple[str, ...] = ("l2",), **composer: Any):
        folder = tmp_path_factory.mktemp("composed")
        where = {"kind": "url", "url": server.base_url, "model": MODEL, "client": CLIENT}
        who = {name: {**where, **more} for name, more in composer.pop("others", {}).items()}
        config = {
            "sources": {a: str(planet / a) for a in composer.pop("archives", ARCHIVES)},
            "stages": list(stages),
            "limit": LIMIT,
            "balance": False,
            "composer": {**where, **composer, **who},
            **({"captioner": where} if "cap_cot" in stages else {}),
        }
        path = folder / "build.yaml"
        path.write_text(json.dumps(config))  # JSON is YAML
        build = [sys.executable, "-m", "cli", "build", "--config", str(path)]
        return [*build, "--engine", "local", "--workers", "1", "--out", str(folder / "dataset")]

    return command


def ran(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def built(command: list[str]) -> Path:
    done = ran(command)
    assert done.returncode == 0, done.stderr
    return Path(command[-1])


def shards(dataset: Path) -> list[Path]:
    return sorted((dataset / "data").glob("l2*/*.parquet"))


def questions(dataset: Path) -> list[Row]:
    return [row for path in shards(dataset) for row in pq.read_table(path).to_pylist()]


def refused(dataset: Path) -> list[Row]:
    files = sorted((dataset / "quarantine").glob("*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return [row for row in rows if row["stage"] == "l2"]


def counts(dataset: Path) -> dict[str, Any]:
    manifest = json.loads((dataset / "manifest.json").read_text())
    return next(count for count in manifest["counts"] if count["stage"] == "l2")


def assert_counts_add_up(dataset: Path) -> None:
    count = counts(dataset)
    assert count["taken"] == count["out"] + count["rejected"] + count["left_out"]
    assert count["rejected"] == len(refused(dataset))
    assert count["out"] >= len(questions(dataset))


def value_of(row: Row) -> Value:
    """Return the value of a row's program on its own masks, by the plain reference."""
    grid = row["grid"]
    size_m = (grid["pixel_size_x_m"], grid["pixel_size_y_m"])
    evidence = Evidence(
        size_HW=(grid["height"], grid["width"]),
        pixel_size_m=None if None in size_m else size_m,
        north_up=grid["north_up"],
        layers=tuple(
            LayerInfo(**{**x, "classes": tuple(x["classes"]), "invalid": Invalid(x["invalid"])})
            for x in row["layers"]
        ),
        masks=tuple(
            SceneMask(**{**m, "counts": m["counts"].encode(), "kind": MaskKind(m["kind"])})
            for m in row["scene_masks"]
        ),
    )
    return evaluate(load_program(row["program"]), ReferenceScene(evidence))


def wrongly_answered(rows: list[Row]) -> list[Row]:
    """Return the rows whose stored answer is not what the reference finds on their masks."""
    wrong = []
    for row in rows:
        value, answer = value_of(row), row["answer"]
        due = value_text(value, row["grid"]["north_up"])
        number = value.value if isinstance(value, Quantity) else None
        if answer["text"] != due or not np.isclose(answer["value"] or 0, number or 0):
            wrong.append(row)
        elif row["options"] and row["options"]["ABCD".index(answer["letter"])] != due:
            wrong.append(row)
    return wrong


def signed(rows: list[Row]) -> list[str]:
    """Return the traces of questions that the composer got wrong on purpose."""
    return [row["trace"] for row in rows if SIGN in row["trace"]]


@pytest.fixture(scope="module")
def plain(serve, configured) -> tuple[Path, FaultServer, list[str]]:
    """Return a dataset that a good model composed, its server and its command."""
    server = serve()
    command = configured(server)
    return built(command), server, command


def test_a_model_that_reads_its_prompt_has_most_questions_kept_and_all_proved(
    plain, terrascope
) -> None:
    dataset, server, _ = plain
    count, rows = counts(dataset), questions(dataset)
    assert count["out"] > 20
    assert count["rejected"] < 0.2 * count["taken"], Counter(
        (row["reason"], row["detail"]) for row in refused(dataset)
    )
    assert_counts_add_up(dataset)
    assert {row["tier"] for row in rows} == {"l2_spatial", "l2_semantic"}
    assert {"composed_compare", "composed_share", "composed_count"} <= {r["task"] for r in rows}
    assert count["tallies"]["replies"] == server.num_requests
    assert wrongly_answered(rows) == []
    proved = terrascope("verify", dataset)
    assert proved.returncode == 0, proved.stdout


def test_rows_say_who_composed_them(plain) -> None:
    dataset, server, _ = plain
    for row in questions(dataset):
        writer = json.loads(row["provenance"]["writer"])
        assert writer["prompt"] == "compose@1"
        assert writer["model"] == MODEL
        assert server.base_url not in row["provenance"]["writer"]


def test_run_again_it_asks_nothing(plain) -> None:
    _, server, command = plain
    asked = server.num_requests
    again = ran(command)
    assert again.returncode == 0, again.stderr
    assert "unchanged" in again.stdout
    assert server.num_requests == asked


def test_captions_are_read_and_a_judge_and_a_blind_model_have_their_say(serve, configured) -> None:
    server = serve()
    dataset = built(configured(server, ("cap_cot", "l2"), others={"judge": {}, "blind": {}}))
    by_role: dict[str, list[dict[str, Any]]] = {}
    for body in server.bodies:
        by_role.setdefault(role_of(body), []).append(body)
    assert by_role.keys() == {"composer", "captioner", "judge", "blind"}
    told = [text_of(body) for body in by_role["composer"]]
    assert all("Caption: The scene shows " in t or "Caption: Image 1: " in t for t in told), told[0]
    assert not any("image_url" in json.dumps(body) for body in by_role["blind"])
    rows, rejects = questions(dataset), refused(dataset)
    assert rows
    assert all(row["judged"]["naturalness"] == 5 for row in rows)
    low = [row for row in rejects if row["reason"] == "low_marks"]
    assert low
    assert all("What percentage" in row["detail"] for row in low)
    assert not any("What percentage" in row["question"] for row in rows)
    tallies = counts(dataset)["tallies"]
    # of two questions that read alike a judge is asked once
    assert tallies["judge: questions marked"] >= len(set(map(text_of, by_role["judge"])))
    guesses = tallies.get("blind: guessed", 0) + tallies.get("blind: not guessed", 0)
    assert guesses >= len(set(map(text_of, by_role["blind"]))) > 0
    assert_counts_add_up(dataset)
    assert verify(dataset).ok


@pytest.mark.parametrize("mistake", ["answer", "question"])
def test_of_wrong_answers_and_turned_questions_none_is_kept(serve, configured, mistake) -> None:
    composer = Mistaken(0.3) if mistake == "answer" else Mistaken(0.3, turned)
    dataset = built(configured(serve(composer)))
    rows, rejects = questions(dataset), refused(dataset)
    assert composer.num_made > 2
    assert wrongly_answered(rows) == []
    assert not signed(rows)
    assert counts(dataset)["tallies"]["repair turns"] > 0
    reasons = {row["reason"] for row in rejects}
    assert reasons <= {"wrong_answer", "off_question", "gives_away", "undefined_answer"}, reasons
    assert_counts_add_up(dataset)
    assert verify(dataset).ok


def test_with_faults_in_three_of_ten_requests_every_scene_ends_and_none_is_lost(
    serve, configured
) -> None:
    rates = {fault: 0.3 / len(FAULT_MIX) for fault in FAULT_MIX}
    composer = Mistaken(0.2)
    server = serve(composer, rates=rates, seed=5)
    dataset = built(configured(server))
    rows, rejects = questions(dataset), refused(dataset)
    assert server.faults.total() > 2
    assert wrongly_answered(rows) == []
    assert not signed(rows)
    ended = {row["scene_id"] for row in rows}
    ended |= {row["sample_id"].split("#")[0] for row in rejects}
    asked = {text_of(body) for body in server.bodies}
    assert len(ended) >= len(asked) > LIMIT  # scenes that look alike are asked of once
    assert_counts_add_up(dataset)
    assert verify(dataset).ok


def test_killed_in_the_midst_and_run_again_it_repeats_no_call_that_had_been_answered(
    serve, configured, plain
) -> None:
    server = serve(latency_s=0.2)
    command = configured(server, client={**CLIENT, "max_concurrency": 3})
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while server.answered.total() < 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (Path(command[-1]) / "manifest.json").exists()
    dataset = built(command)
    repeated = sum(times - 1 for times in server.answered.values())
    assert repeated <= 3  # those whose replies were on their way
    same = [(row["sample_id"], row["trace"]) for row in questions(plain[0])]
    assert [(row["sample_id"], row["trace"]) for row in questions(dataset)] == same


def test_a_call_without_a_reply_is_asked_again_by_the_next_build_and_no_other(
    serve, configured
) -> None:
    server = serve(script=["503"])
    command = configured(server, archives=["xbd"], client={**CLIENT, "retries": 0})
    dataset = built(command)
    assert [row["reason"] for row in refused(dataset) if row["reason"] == "call_failed"]
    asked = server.num_requests
    built(command)
    assert "call_failed" not in {row["reason"] for row in refused(dataset)}
    assert server.num_requests == asked + 1


# every change is one thing in one row; it returns whether the row offers it


def changed_answer(row: Row) -> bool:
    texts = {"Yes": "No", "No": "Yes"}
    row["answer"]["text"] = texts.get(row["answer"]["text"], "99 %")
    return True


def changed_letter(row: Row) -> bool:
    row["answer"]["letter"] = "B" if row["answer"]["letter"] == "A" else "A"
    return bool(row["options"])


def swapped_answer(row: Row) -> bool:
    """Answer, letter and trace say No for Yes, all alike."""
    if row["answer"]["text"] != "Yes" or "No" not in row["options"]:
        return False
    old = f"{row['answer']['letter']}. Yes"
    letter = "AB"[row["options"].index("No")]
    row["answer"] |= {"text": "No", "letter": letter}
    row["trace"] = row["trace"].replace(old, f"{letter}. No")
    return True


def changed_option(row: Row) -> bool:
    others = [n for n, option in enumerate(row["options"]) if option != row["answer"]["text"]]
    if others:
        row["options"][others[0]] = "banana"
    return bool(others)


def changed_premise(row: Row) -> bool:
    if row["premises"]:
        row["premises"][0]["value"] = "77 %"
    return bool(row["premises"])


def dropped_premise(row: Row) -> bool:
    return bool(row["premises"] and row["premises"].pop())


def changed_rule(row: Row) -> bool:
    held = bool(row["rule"])
    row["rule"] = "farming@2" if row["rule"] != "farming@2" else "igbp_character@1"
    return held


def changed_rule_version(row: Row) -> bool:
    row["rule"] += row["rule"] and "0"  # a version that there is not
    return bool(row["rule"])


def changed_constant(row: Row) -> bool:
    """A bound of the program is another, with the same verdict."""
    if '"op":"number","value":0.' not in row["program"]:
        return False
    row["program"] = row["program"].replace('"op":"number","value":0.', '"op":"number","value":0.0')
    return True


def changed_relation(row: Row) -> bool:
    before = row["program"]
    row["program"] = before.replace('"relation":">"', '"relation":"<"', 1)
    return bool(row["program"] != before)


def changed_mask(row: Row) -> bool:
    mask = row["masks"][0]
    mask_HW = decode_rle(mask["counts"].encode(), tuple(mask["size"])).copy()
    mask_HW[7, 7] ^= True
    mask["counts"] = coco.encode(np.asfortranarray(mask_HW, dtype=np.uint8))["counts"].decode()
    return True


def changed_mask_program(row: Row) -> bool:
    """A mask is another class's, bits and all."""
    if len(row["masks"]) < 2:
        return False
    for key in ("program", "counts"):
        row["masks"][0][key] = row["masks"][1][key]
    return True


def changed_number(row: Row) -> bool:
    """A number of a step is another, in step and trace alike."""
    for step in row["steps"]:
        if "covers " in step["text"]:
            said = step["text"].split("covers ")[1].split(" ")[0]
            other = f"{(float(said) + 47) % 100:.0f}"
            row["trace"] = row["trace"].replace(f"covers {said}", f"covers {other}")
            step["text"] = step["text"].replace(f"covers {said}", f"covers {other}")
            return True
    return False


def changed_claim(row: Row) -> bool:
    if row["claims"]:
        row["claims"][0]["verdict"] = "unproved"
    return bool(row["claims"])


def dropped_claim(row: Row) -> bool:
    return bool(row["claims"] and row["claims"].pop())


def changed_step_verdict(row: Row) -> bool:
    verdicts = {"proved": "unproved", "unproved": "proved"}
    row["steps"][-1]["verdict"] = verdicts[row["steps"][-1]["verdict"]]
    return True


def changed_class(row: Row) -> bool:
    """The question names a class that its program does not measure."""
    question = row["question"].replace("?", " beside the snow and the mangroves and buildings?")
    row["question"] = question
    return not row["rule"]


def turned_question(row: Row) -> bool:
    before = row["question"]
    row["question"] = before.replace("more ground", "less ground")
    return row["question"] != before


def denied_question(row: Row) -> bool:
    row["question"] = row["question"].replace("?", ", or is it not?")
    return True


def changed_conclusion(row: Row) -> bool:
    """The last step and the trace conclude another answer than that of the row."""
    last = row["steps"][-1]
    other = "So the answer is: none of these."
    row["trace"] = row["trace"].replace(last["text"], other)
    last["text"] = other
    return True


def added_step(row: Row) -> bool:
    """A sentence that nothing proves stands among the steps again."""
    said = "The water is clean."
    step = {"text": said, "mask_index": -1, "image_index": row["steps"][-1]["image_index"]}
    row["steps"].insert(-1, {**step, "verdict": "proved"})
    last = row["steps"][-1]["text"]
    row["trace"] = row["trace"].replace(last, f"{said} {last}")
    return True


def changed_classes(row: Row) -> bool:
    row["classes"] = [*row["classes"], "snow"]
    return True


def changed_task(row: Row) -> bool:
    row["task"] = "composed_area"
    return True


def changed_id(row: Row) -> bool:
    row["sample_id"] = "0" * 24
    return True


def dropped_scene_mask(row: Row) -> bool:
    """A mask that a step marks is gone from the scene."""
    label = json.loads(row["masks"][0]["program"]).get("label")
    held = [mask for mask in row["scene_masks"] if mask["label"] != label]
    dropped = len(held) < len(row["scene_masks"])
    row["scene_masks"] = held
    return dropped


CHANGES = (
    changed_answer, changed_letter, swapped_answer, changed_option, changed_premise,
    dropped_premise, changed_rule, changed_rule_version, changed_constant, changed_relation,
    changed_mask, changed_mask_program, changed_number, changed_claim, dropped_claim,
    changed_step_verdict, changed_class, turned_question, denied_question, changed_conclusion,
    added_step, changed_classes,
    changed_task, changed_id, dropped_scene_mask,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_whatever_is_changed_in_a_composed_row_is_caught(plain, tmp_path, change) -> None:
    """The change is planted in every row that offers it, and each of them must be named."""
    dataset = tmp_path / "dataset"
    shutil.copytree(plain[0], dataset, ignore=shutil.ignore_patterns(".work", "report"))
    planted: list[str] = []
    for path in shards(dataset):
        rows = pq.read_table(path).to_pylist()
        for number, row in enumerate(rows):
            changed = deepcopy(row)
            if change(changed):
                rows[number] = changed
                planted.append(changed["sample_id"])
        pq.write_table(pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA), path)
    assert planted, "no row offers the change"
    report = verify(dataset, digests=False)
    named = Counter(failure.sample_id for failure in report.failures if failure.sample_id)
    assert named.keys() == {*planted}


def test_a_changed_row_is_a_failure_of_the_command(plain, tmp_path, terrascope) -> None:
    dataset = tmp_path / "dataset"
    shutil.copytree(plain[0], dataset)
    path = shards(dataset)[0]
    rows = pq.read_table(path).to_pylist()
    assert changed_answer(rows[0])
    pq.write_table(pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA), path)
    done = terrascope("verify", dataset, "--no-digests")
    assert done.returncode == 1
    assert rows[0]["sample_id"] in done.stdout
