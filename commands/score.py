"""Score models on a bench, and judge its items."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from commands.console import end_by_signals, need, need_training_extra, say
from commands.options import Dataset


def bench(
    dataset: Annotated[
        Path,
        typer.Argument(
            help="Folder of a dataset, or a file of another bench: .parquet, .csv, .json."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the results.")],
    predictions: Annotated[
        list[Path], typer.Option("--predictions", help="JSON lines; twice to compare two models.")
    ] = [],  # noqa: B006 - typer reads it as "none given"
    model: Annotated[Path | None, typer.Option(help="Folder of a trained model to ask.")] = None,
    url: Annotated[
        str | None, typer.Option(help="OpenAI-compatible URL of a model to ask.")
    ] = None,
    model_name: Annotated[str | None, typer.Option(help="Name that --url knows it by.")] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the key of --url.")
    ] = None,
    control: Annotated[
        Literal["none", "blind", "shuffled", "rotated"],
        typer.Option(help="Ask without the picture, with another's, or with options turned."),
    ] = "none",
    tier: Annotated[str | None, typer.Option(help="Whose rows; bench if not given.")] = None,
    split: Annotated[
        str | None, typer.Option(help="Whose rows; all of the tier bench, else test.")
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Of this task; repeat for several.")
    ] = None,
    number: Annotated[
        int | None, typer.Option("--number", "-n", min=1, help="Items, drawn by seed; else all.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws items, and scenes for intervals.")] = 0,
    grounded_iou: Annotated[
        float, typer.Option(min=0, max=1, help="Least IoU of a right answer that is grounded.")
    ] = 0.5,
    boundary_tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="Of the boundary F, of the image's diagonal.")
    ] = 0.02,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Tokens of a reply at most.")] = 512,
) -> None:
    """Score answers and masks of one model or two: tables, a page, intervals, paired tests."""
    from tasks.scoring.ask_url import url_settings, write_url_predictions
    from tasks.scoring.opened import open_bench
    from tasks.scoring.results import compare_scored, score_file
    from tasks.scoring.score import Rules
    from tasks.scoring.sources import Source, check_sources, folder_of
    from tasks.scoring.written import headline

    asked: list[Source] = check_sources(predictions, model, url, model_name, control)
    questions = open_bench(dataset, tier, split, task or ())
    if number is not None:
        questions = questions.drawn(number, seed)
    rules = Rules(grounded_iou=grounded_iou, boundary_tolerance=boundary_tolerance, seed=seed)
    scored = []
    for place, source in enumerate(asked):
        folder = folder_of(out, place, len(asked))
        path = source.predictions or folder / "predictions.jsonl"
        if source.model is not None:
            need_training_extra("bench --model")
            from flows.bench import ask_model

            ask_model(questions, source.model, path, control, max_new_tokens)
        elif source.url is not None:
            settings = url_settings(source.url, model_name or "", api_key_env)
            write_url_predictions(questions, settings, path, control, max_new_tokens)
        scored.append(score_file(questions, path, folder, rules))
    say(headline([one.score for one in scored]))
    for one in scored:
        say(f"page     {one.folder / 'bench.html'}")
    if len(scored) == 2:
        compare_scored(scored[0], scored[1], out, rules)
        say(f"compared {out / 'comparison.html'}")


def review(
    bench: Dataset,
    reviewer: Annotated[str, typer.Option(help="Your name; verdicts are kept under it.")] = "",
    reviews: Annotated[
        Path | None, typer.Option(help="Folder of verdicts; BENCH-reviews beside the bench.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the page; 0 is any that is free.")
    ] = 8101,
    seed: Annotated[int, typer.Option(help="Draws the order, another for each reviewer.")] = 0,
    summary: Annotated[
        bool, typer.Option("--summary", help="Say what the verdicts come to, in review.md as well.")
    ] = False,
    least: Annotated[
        int, typer.Option(min=1, max=3, help="Of the summary: how many have to say the same.")
    ] = 2,
) -> None:
    """Judge the items of a bench in the browser, or say what all reviewers' verdicts come to."""
    from tasks.reviewing.place import reviews_beside
    from tasks.storage.pull import opened

    folder = opened(bench)
    kept = reviews_beside(folder, reviews)
    if summary:
        from tasks.reviewing.summary import write_summary

        for line in write_summary(folder, kept, least):
            say(line)
        return
    need("review", "view", "duckdb", "starlette", "uvicorn")
    from view.review_serve import serve

    end_by_signals()
    serve(folder, kept, reviewer, port, seed, say)
