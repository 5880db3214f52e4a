"""LLaVA: conversations as JSON beside a folder of images, as LLaVA and ShareGPT trainers read it.

Samples of one image stand in `SPLIT.json` (`image` is a name), those of several in
`SPLIT-several.json` (`image` is a list). Such models know no masks: `[SEG]` is taken out.
"""

from tasks.exports.conversation import conversation, unmarked
from tasks.exports.json_list import JsonLists
from tasks.exports.pictures import add_picture
from tasks.exports.target import Export, split_name


def write_llava(export: Export) -> None:
    """Write every sample as a conversation; step masks are left out."""
    with JsonLists(export.folder) as lists:
        for row in export.rows():
            names = [add_picture(export, image.bytes) for image in row.images]
            kind = "" if len(names) == 1 else "-several"
            entry = {
                "id": row.sample_id,
                "image": names[0] if len(names) == 1 else names,
                "conversations": conversation(row, unmarked(row.trace)),
            }
            lists.add(f"{split_name(row.split)}{kind}.json", entry)
            export.samples += 1
            export.leave("step masks", len(row.masks))
