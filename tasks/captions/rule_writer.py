"""The writer without a model: the rules of `templates.caption_writer` behind the same protocol.

It is what runs where nothing is installed but this program: the same facts in, the same reply out.
Its provenance says that no model wrote.
"""

from collections.abc import Mapping
from random import Random

from tasks.completer import Call, Reply
from templates.caption_writer import write_reply

VERSION = 1  # raised by hand whenever its words change


class RuleWriter:
    """A `tasks.completer.Completer` that writes from a call's fields and looks at no picture."""

    @property
    def identity(self) -> Mapping[str, str]:
        """Says that rules wrote, and which version of them."""
        return {"kind": "rules", "version": str(VERSION)}

    async def complete(self, call: Call) -> Reply:
        """Return the reply that the rules make of `facts` and `ground` among the call's fields."""
        facts, ground = call.fields["facts"], call.fields["ground"]
        text = write_reply(facts, ground, Random(call.fields["seed"]))
        return Reply(text=text, finish_reason="stop", prompt_tokens=0, completion_tokens=0)
