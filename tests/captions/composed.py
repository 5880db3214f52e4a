"""What a model that reads its prompt would compose: questions from the table, and wrong answers.

It knows nothing but the request: regions, masks and rules stand in the prompt.
"""

import hashlib
import json
import random
import re
from collections.abc import Callable
from typing import Any

from tests.captions.prompted import text_of

_REGION = re.compile(
    r"^region (\d+): ([^;]+)(?:; on image (\d+))?; ([\d,]+) pixels(.*)$", re.MULTILINE
)
_LEAF = re.compile(r"^- (?!rule )(.+?)(?: on image (\d+))?: (\{.*\})$", re.MULTILINE)
_RULE = re.compile(
    r'^- rule "(\w+)": .*?\. Questions: (.*?) Verdict: (.*?)\. Premises: (\{.*\})$',
    re.MULTILINE,
)
_SHARE = re.compile(r"; ([\d.]+) % of")
ALL = "all labelled pixels"
WRONG = {"Yes": "No", "No": "Yes"}
SIGN = "I outline"  # how a question that is wrong marks its first mask; the others say "I mark"
Questions = list[dict[str, Any]]


def well_composed(body: dict[str, Any]) -> str:
    """Return the reply to a composer's prompt: a comparison, a share, and a rule if one applies."""
    prompt = text_of(body)
    lands = [_region(found) for found in _REGION.findall(prompt)]
    leaves = {(name, image): json.loads(leaf) for name, image, leaf in _LEAF.findall(prompt)}
    questions = [
        *_comparison(lands, leaves),
        *_share(lands, leaves),
        *_count(lands, leaves),
        *_ruled(prompt, leaves),
    ]
    return json.dumps({"questions": questions[:4]})


def wrong(questions: Questions, rng: random.Random) -> dict[str, Any]:
    """Make one answer, drawn at random, another than its program's; return its question."""
    question = rng.choice(questions)
    answer = question["answer"]
    number = re.match(r"[\d.]+", answer)
    if answer in WRONG:
        question["answer"] = WRONG[answer]
    elif number:
        question["answer"] = answer.replace(number[0], f"{float(number[0]) * 2 + 7:.0f}", 1)
    else:
        question["answer"] = "another verdict"
    return question


def turned(questions: Questions, rng: random.Random) -> dict[str, Any]:
    """Make one question ask for another thing than its program answers; return it.

    Program, steps and answer stay as they are, so that they agree with one another.
    """
    question = rng.choice(questions)
    text = question["question"]
    turns = [
        text.replace("more", "less"),
        text.replace("What percentage", "What area"),
        text.replace("What percentage of", "What percentage of the north of"),
        text.replace("How many", "How many, and not few,"),
        text.replace("by the", "but for the"),
        re.sub(r"(?:Does|does) (.+?)(?= cover)", "does the sea", text),
        text.replace("?", ", by the way?"),
    ]
    question["question"] = rng.choice([turn for turn in turns if turn != text])
    return question


class Mistaken:
    """A composer that gets one question wrong in a share of its replies, repaired or not.

    Attributes:
        num_made: How many questions it got wrong; SIGN stands in the first step of each.
    """

    def __init__(
        self,
        share: float,
        mistake: Callable[[Questions, random.Random], dict[str, Any]] = wrong,
        seed: int = 0,
    ) -> None:
        self.share, self.mistake, self.seed = share, mistake, seed
        self.num_made = 0

    def __call__(self, body: dict[str, Any]) -> str:
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        rng = random.Random(f"{self.seed}:{digest}")
        reply = well_composed(body)
        tree = json.loads(reply)
        if rng.random() >= self.share or not tree["questions"]:
            return reply
        step = self.mistake(tree["questions"], rng)["steps"][0]
        step["text"] = step["text"].replace("I mark", SIGN)
        self.num_made += 1
        return json.dumps(tree)


def _region(found: tuple[str, ...]) -> dict[str, Any]:
    number, phrase, image, px, rest = found
    share = _SHARE.search(rest)
    return {
        "number": number,
        "phrase": phrase,
        "image": image,
        "px": int(px.replace(",", "")),
        "share": share and share[1],
        "count": (re.findall(r"; ([\d,]+) [a-z]", rest) or [""])[0],
        "lead": f"Image {image}: " if image else "",
        "place": f"image {image}" if image else "the image",
    }


def _marked(land: dict[str, Any], leaf: dict[str, Any]) -> dict[str, Any]:
    return {"text": f"{land['lead']}I mark {land['phrase']} [SEG].", "mask": leaf}


def _comparison(
    lands: list[dict[str, Any]], leaves: dict[tuple[str, str], Any]
) -> list[dict[str, Any]]:
    """Compare the largest region with the smallest of its image, in pixels well apart."""
    if len(lands) < 2:
        return []
    first, last = max(lands, key=lambda r: r["px"]), min(lands, key=lambda r: r["px"])
    if first["image"] != last["image"] or first["px"] < 3 * last["px"]:
        return []
    a, b = (leaves[land["phrase"], land["image"]] for land in (first, last))
    whole = leaves[ALL, first["image"]]
    return [
        {
            "category": "spatial",
            "question": f"In {first['place']}, does {first['phrase']} cover more ground than "
            f"{last['phrase']}?",
            "classes": [first["phrase"], last["phrase"]],
            "steps": [_marked(first, a), _marked(last, b), {"text": "Now I compare the two."}],
            "program": {
                "op": "compare",
                "a": {"op": "share", "of": a, "within": whole},
                "relation": ">",
                "b": {"op": "share", "of": b, "within": whole},
            },
            "answer": "Yes",
        }
    ]


def _share(lands: list[dict[str, Any]], leaves: dict[tuple[str, str], Any]) -> list[dict[str, Any]]:
    """Ask for the share of the largest region."""
    shared = [land for land in lands if land["share"]]
    if not shared:
        return []
    land = max(shared, key=lambda r: r["px"])
    leaf = leaves[land["phrase"], land["image"]]
    text = f"{land['lead']}It covers {land['share']} % of {land['place']}."
    return [
        {
            "category": "spatial",
            "question": f"What percentage of {land['place']} does {land['phrase']} cover?",
            "classes": [land["phrase"]],
            "steps": [_marked(land, leaf), {"text": text}],
            "program": {"op": "share", "of": leaf, "within": leaves[ALL, land["image"]]},
            "answer": f"{land['share']} %",
        }
    ]


def _count(lands: list[dict[str, Any]], leaves: dict[tuple[str, str], Any]) -> list[dict[str, Any]]:
    """Ask for the number of objects of the last region that is made of them."""
    counted = [land for land in lands if leaves[land["phrase"], land["image"]]["op"] == "instances"]
    if not counted:
        return []
    land = counted[-1]
    leaf = leaves[land["phrase"], land["image"]]
    return [
        {
            "category": "spatial",
            "question": f"How many {land['phrase']} are there in {land['place']}?",
            "classes": [land["phrase"]],
            "steps": [_marked(land, leaf), {"text": "Now I count them."}],
            "program": {"op": "count", "of": leaf},
            "answer": land["count"],
        }
    ]


def _ruled(prompt: str, leaves: dict[tuple[str, str], Any]) -> list[dict[str, Any]]:
    """Ask the first rule whose verdict follows from the conditions as they are listed."""
    for rule, questions, verdicts, premises_text in _RULE.findall(prompt):
        premises = json.loads(premises_text)
        verdict = _verdict(verdicts, premises)
        if verdict is None:
            continue
        steps = [
            {"text": f"{f'Image {image}: ' if image else ''}I mark {name} [SEG].", "mask": leaf}
            for (name, image), leaf in leaves.items()
            if name != ALL
        ]
        return [
            {
                "category": "semantic",
                "question": questions.split(" | ")[0],
                "classes": [name for name, _ in leaves if name != ALL],
                "steps": [*steps, {"text": "So the verdict follows."}],
                "rule": rule,
                "premises": premises,
                "answer": verdict,
            }
        ]
    return []


def _verdict(verdicts: str, premises: dict[str, str]) -> str | None:
    """Return the level whose conditions hold; "No" where the only one is "Yes" and fails."""
    levels = [level.split(" if ") for level in verdicts.split("; ")]
    for name, conditions in levels:
        if all(_holds(condition, premises) for condition in conditions.split(" and ")):
            return name
    return "No" if [name for name, _ in levels] == ["Yes"] else None


def _holds(condition: str, premises: dict[str, str]) -> bool:
    name, relation, bound = condition.split()
    if name not in premises:
        return False
    value = _number(premises[name])
    return value > float(bound) if relation == ">" else value < float(bound)


def _number(text: str) -> float:
    number = float(re.match(r"[\d,.]+", text)[0].replace(",", ""))
    scale = {"%": 0.01, "ha": 10_000.0}
    return number * scale.get(text.split()[-1], 1.0)
