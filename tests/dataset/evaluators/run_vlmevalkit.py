"""Run VLMEvalKit's own entry on an export, with a model that says "A" of everything.

python run_vlmevalkit.py EXPORT NAME WORK
"""

import os
import sys

from PIL import Image
from stand_ins import stand_in_for
from transformers import AutoModel, AutoProcessor, AutoTokenizer

export, name, work = sys.argv[1:]
os.environ.update(LMUData=export, HF_HUB_OFFLINE="1", PRED_FORMAT="tsv")
# transformers looks once for what is installed, and that has to be before the stand-ins
_LOOKED = (AutoModel, AutoProcessor, AutoTokenizer)
made = stand_in_for("vlmeval")

import vlmeval.run  # noqa: E402 - after its stand-ins
from vlmeval.config import supported_VLM  # noqa: E402
from vlmeval.vlm.base import BaseModel  # noqa: E402


class AlwaysA(BaseModel):
    """Opens what it is shown, and says "A"."""

    INTERLEAVE = True

    def generate_inner(self, message, dataset=None):
        shown = [part["value"] for part in message if part["type"] == "image"]
        for path in shown:
            with Image.open(path) as image:
                image.load()
        assert shown, message
        return "A"


supported_VLM["always_a"] = AlwaysA
sys.argv = [
    "run.py", "--data", name, "--model", "always_a", "--work-dir", work,
    "--judge", "exact_matching", "--api-nproc", "1",
]  # fmt: skip
sys.stderr.write(f"stand-ins: {sorted({name.split(chr(46))[0] for name in made.made})}\n")
vlmeval.run.main()
