"""Train a model on a dataset, and ask it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from commands.console import console, need_training_extra, say
from commands.options import ConfigOption, DatasetFolder, EngineOption
from tasks.errors import ConfigError


def train(
    data: Annotated[str, typer.Option(help="Finished dataset: DIR, DIR@2, or s3://… of it.")],
    out: Annotated[Path, typer.Option(help="Folder of the model.")],
    preset: Annotated[
        Literal["tiny", "internvl3-1b", "internvl3-8b", "shape-8b"] | None,
        typer.Option(help="Which model; tiny if not given."),
    ] = None,
    config: ConfigOption = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Of first weights, and of what is drawn.")
    ] = None,
    stage1_steps: Annotated[int | None, typer.Option(help="Steps on named classes.")] = None,
    stage2_steps: Annotated[int | None, typer.Option(help="Steps on traces.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples a pass and process.")] = None,
    weights_vlm: Annotated[
        str | None, typer.Option(help="Folder or hub id of InternVL3's weights.")
    ] = None,
    weights_ground: Annotated[
        str | None, typer.Option(help="Folder or hub id of SAM 2's weights.")
    ] = None,
    more: Annotated[
        list[str], typer.Option("--set", help="NAME=VALUE, any other setting (docs/model.md).")
    ] = [],  # noqa: B006 - typer reads it as "none given"
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes that train; one a GPU if not given.")
    ] = None,
    nodes: Annotated[
        int, typer.Option(min=1, help="Machines that train; run the same command on each.")
    ] = 1,
    rendezvous: Annotated[
        str | None, typer.Option(help="HOST:PORT of one of them, where they meet.")
    ] = None,
    node_address: Annotated[
        str | None, typer.Option(help="Of this machine for the others; its host name if not given.")
    ] = None,
    engine: EngineOption = "prefect",
) -> None:
    """Train a model on a dataset; training that was cut off goes on from where it was."""
    from tasks.storage.pull import opened
    from tasks.training import learn, load_settings, nodes_of, trained

    options = {
        "preset": preset,
        "seed": seed,
        "stage1_steps": stage1_steps,
        "stage2_steps": stage2_steps,
        "batch_size": batch_size,
        "weights_vlm": weights_vlm,
        "weights_ground": weights_ground,
    }
    settings = load_settings(config, options, more)
    several = nodes_of(nodes, rendezvous, node_address)
    if several and engine != "local":
        raise ConfigError("several nodes are started one by one: add --engine local on each")
    folder = opened(data)
    if engine == "local":
        for line in learn(folder, out, settings, processes, nodes=several):
            say(line)
        model = trained(out)
    else:
        from flows.settings import settle

        settle()
        console.print("prefect  starting (--engine local runs without it)", highlight=False)
        from flows.reached import server_reached
        from flows.train import train as run

        with server_reached():
            model = run(folder, out, settings, processes)
    for name, iou in model.iou.items():
        say(f"IoU      {iou:.3f}  {name}")
    say(f"model    {model.out}")


def ask(
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGE...",
            help="PNG, JPEG or GeoTIFF; one a date.",
            default_factory=list,
            show_default=False,
        ),
    ],
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What to ask of them.")],
    model: Annotated[Path, typer.Option(help="Folder of a trained model.")],
    option: Annotated[
        list[str], typer.Option("--option", help="To choose from, once for every option.")
    ] = [],  # noqa: B006 - typer reads it as "none given"
    sar: Annotated[
        list[Path], typer.Option("--sar", help="Radar of each date, in the order of the images.")
    ] = [],  # noqa: B006 - typer reads it as "none given"
    sar_rendering: Annotated[
        Literal["vv_vh", "vh_vv_mean"],
        typer.Option(help="How radar is shown: as in the dataset that was learnt."),
    ] = "vv_vh",
    out: Annotated[Path, typer.Option(help="PNG file of the steps' masks.")] = Path("answer.png"),
    feedback: Annotated[
        Literal["tokens", "measure", "both", "none", "box", "random"] | None,
        typer.Option(help="What follows a mask; what the model was made for if not given."),
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Tokens to write at most.")] = 512,
    temperature: Annotated[
        float, typer.Option(min=0.0, help="0 writes the likeliest token.")
    ] = 0.0,
    seed: Annotated[
        int, typer.Option(min=0, help="Of what is drawn, above the temperature 0.")
    ] = 0,
) -> None:
    """Ask a trained model about images: its reasoning as it writes it, its answer, its masks."""
    need_training_extra("ask")
    from flows.ask import open_question
    from terrascope_model.generate import Sampling

    asked = open_question(model, images, sar, sar_rendering, question, tuple(option))
    sampling = Sampling(temperature=temperature, seed=seed)
    for text in asked.texts(feedback, max_new_tokens, sampling):
        console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
    console.print()
    say(f"answer   {asked.answer_line()}")
    asked.draw(out)
    say(f"picture  {out}")


def answers(
    dataset: DatasetFolder,
    model: Annotated[Path, typer.Option(help="Folder of a trained model.")],
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="Questions.")] = 3,
    split: Annotated[str, typer.Option(help="Whose questions are drawn.")] = "test",
    tier: Annotated[
        Literal["l1", "l2_spatial", "l2_semantic"] | None,
        typer.Option(help="Of this kind alone."),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Of this task; repeat for several.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws them.")] = 0,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Tokens to write at most.")] = 512,
) -> None:
    """Let a trained model answer held-out questions, with its masks, on a page of the report."""
    need_training_extra("answers")
    from flows.answers import answers as answer

    page, answered = answer(
        dataset,
        model,
        split=split,
        tier=tier,
        tasks=task or (),
        number=number,
        seed=seed,
        max_new_tokens=max_new_tokens,
    )
    for one in answered:
        say(f"{one.row.question}\n  {one.answer or 'no answer'}  (the dataset has {one.due})")
    say(f"answers  {page}")
