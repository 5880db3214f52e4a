"""Golden captions: what the prompt says, what the rules write, and what is read of it.

A record is kept under the versions that decide it. Output that changes needs another version of the
prompt (`templates.prompts`), of the rules (`tasks.captions.rule_writer`) or of the check
(`templates.caption`); TERRASCOPE_WRITE_GOLDEN=1 adds records of new versions, and overwrites none.
"""

import json
import os
from pathlib import Path
from random import Random

from tasks.captions.rule_writer import VERSION as RULES_VERSION
from templates.caption import VERSION as CHECK_VERSION
from templates.caption import Caption, make_caption
from templates.caption_facts import facts_of
from templates.caption_fields import prompt_fields
from templates.caption_writer import write_reply
from templates.prompts import CAP_COT
from templates.regions import regions_of
from templates.replies import parse_reply
from tests.claims.drawn import RADAR, land, town

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "captions.json"
SCENES = {
    "lake": land("WWWCCCCCC " * 9),
    "radar": land("TTTGGGGGG TTTGGGGGG TTTDDDGGG " * 3, images=[RADAR]),
    "damage": town("ddoooj"),
}


def test_prompts_rules_and_check_give_what_their_versions_stand_for() -> None:
    found = {}
    for name, scene in SCENES.items():
        ground = scene.captioned
        facts = facts_of(ground)
        prompt = CAP_COT.fill(**prompt_fields(facts, ground))
        reply = write_reply(facts, ground, Random(name))
        parsed = parse_reply(reply, "stop", regions_of(ground), ground.view)
        caption = make_caption(parsed, ground, "reject")
        assert isinstance(caption, Caption)
        found[f"prompt v{CAP_COT.version} {name}"] = prompt
        found[f"rules v{RULES_VERSION} {name}"] = reply
        found[f"check v{CHECK_VERSION}, rules v{RULES_VERSION} {name}"] = [
            f"{claim.verdict} {claim.kind} {caption.trace.text[claim.start : claim.end]!r}: "
            f"{claim.detail}"
            for claim in caption.claims
        ]
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    changed = [key for key in found if key in golden and golden[key] != found[key]]
    assert not changed, f"raise the version of what decides {changed}"
    if os.environ.get("TERRASCOPE_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        golden = found
    assert found.keys() == golden.keys()
