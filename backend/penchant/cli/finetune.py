"""`penchant finetune`: the encoder learns from a log which items are liked together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from penchant.cli import finetuning
from penchant.cli.finetuning import Choices, Log
from penchant.domain.errors import ConfigError

LEARNING_RATES = {"full": 1e-4, "lora": 1e-3, "prefix": 1e-2, "prompt": 1e-2}

_COLUMNS, _TRAINING, _LOG = "Columns, as for penchant import", "Training", "The log"


def _log(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=_LOG, **more)


def _column(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=_COLUMNS, **more)


def _training(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=_TRAINING, **more)


def finetune(
    output: Annotated[Path, typer.Option(help="Directory to write, for penchant export.")],
    items: Annotated[Path | None, _log("File of items.", exists=True, dir_okay=False)] = None,
    events: Annotated[Path | None, _log("File of events.", exists=True, dir_okay=False)] = None,
    dataset: Annotated[str, _log("movielens, instead of the two files.")] = "",
    store: Annotated[str, _log("lmdb:DIRECTORY of a server, instead of files.")] = "",
    train_fraction: Annotated[
        float, _log("Use only this share of the events, the oldest, as penchant evaluate does.")
    ] = 1.0,
    relevant: Annotated[
        str,
        _log(
            "Which events the ranking is judged by: 'rating>=4', 'reward>0.5', signal=purchase.",
            metavar="TERM",
            show_default="reward>0; rating>=4 for movielens",
        ),
    ] = "",
    source: Annotated[
        Path | None,
        typer.Option(help="Hugging Face encoder directory.", show_default="all-MiniLM-L6-v2"),
    ] = None,
    last: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="DIR",
            help="An earlier output: learn from newer events, replay older ones, keep the rest.",
        ),
    ] = None,
    objective: Annotated[
        str,
        _training("next-item: what is liked next; rating: the next reward; class: its sign."),
    ] = "next-item",
    method: Annotated[
        str,
        _training(
            "full: all weights; lora: low-rank additions; prefix, prompt: learnt vectors before "
            "each text, in every layer or before the first alone."
        ),
    ] = "full",
    dimensions: Annotated[
        str, _training("Lengths that vectors will be cut to; the largest is the whole.")
    ] = "64",
    steps: Annotated[
        int, _training("Steps of the encoder at most; 0: only its projection learns.", min=0)
    ] = 300,
    head_steps: Annotated[
        int, _training("Steps of a projection alone: of a new one, or with --steps 0.", min=0)
    ] = 2000,
    learning_rate: Annotated[
        float | None,
        _training("Of the encoder.", show_default="1e-4; 1e-3 for lora; 1e-2 for prefix, prompt"),
    ] = None,
    head_learning_rate: Annotated[float, _training("Of the projection.")] = 2e-3,
    frozen_layers: Annotated[
        int, _training("The embeddings and so many layers do not learn.", min=0)
    ] = 0,
    lora_rank: Annotated[int, _training("Rank of the additions.", min=1)] = 16,
    virtual_tokens: Annotated[int, _training("Of prefix and prompt.", min=1)] = 10,
    max_tokens: Annotated[int, _training("Texts are cut after so many tokens.", min=3)] = 32,
    temperature: Annotated[float, _training("Of the softmax.")] = 0.25,
    popularity_correction: Annotated[
        float, _training("0: popularity is the offsets' affair; 1: the vectors' too.")
    ] = 0.0,
    hard_negatives: Annotated[
        int, _training("For each piece of likes so many near items that are not liked.", min=0)
    ] = 0,
    validation_fraction: Annotated[
        float, _training("The share of the events that chooses when to stop.")
    ] = 0.1,
    test_fraction: Annotated[
        float, _training("The share, the newest, that is only looked at at the end; 0: none.")
    ] = 0.1,
    evaluate_every: Annotated[
        int, _training("Rank the validation part after so many steps.", min=1)
    ] = 50,
    patience: Annotated[int, _training("Stop after so many looks without a new best.", min=1)] = 4,
    replay_share: Annotated[
        float, _training("With --from: the share of each step that is older events.")
    ] = 0.5,
    distillation_weight: Annotated[
        float, _training("With --from: how strongly vectors are held to the last encoder's.")
    ] = 5.0,
    precision: Annotated[str, _training("auto, fp32, bf16 or fp16.")] = "auto",
    gradient_checkpointing: Annotated[
        bool,
        typer.Option(
            "--gradient-checkpointing",
            help="Less memory for more time.",
            rich_help_panel=_TRAINING,
        ),
    ] = False,
    seed: Annotated[int, _training("Of all that is drawn.")] = 0,
    max_minutes: Annotated[
        float | None,
        _training("Stop after so many minutes; the same command goes on from there.", min=0.0),
    ] = None,
    report_to: Annotated[str, _training("tensorboard, wandb or none.")] = "none",
    text_template: Annotated[
        str, _column("The text, made of columns: '{title} ({year}). {genres}'.", metavar="TEMPLATE")
    ] = "",
    signal: Annotated[str, _column("The signal of every row.")] = "",
    time_unit: Annotated[str, _column("Unit of epoch times: s, ms, us or ns.")] = "s",
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD",
            help="Take a field of items or events from a column; repeatable.",
            rich_help_panel=_COLUMNS,
        ),
    ] = None,
    format: Annotated[
        str | None,
        _column("csv, tsv, jsonl or parquet.", metavar="NAME", show_default="by the files' names"),
    ] = None,
) -> None:
    """Fine-tunes a text encoder so that what the same people like lies together.

    The log is cut by time: the oldest events train, the next choose when to stop, the newest are
    only looked at when all is done. A training that was stopped or killed goes on with the same
    command.
    """
    if source is not None and last is not None:
        raise ConfigError("--source, --from: got both, expected one encoder to start from")
    training: dict[str, object] = {
        "objective": objective,
        "method": method,
        "dimensions": _lengths(dimensions),
        "steps": steps,
        "head_steps": head_steps,
        "learning_rate": learning_rate or LEARNING_RATES.get(method, 1e-4),
        "head_learning_rate": head_learning_rate,
        "frozen_layers": frozen_layers,
        "lora_rank": lora_rank,
        "virtual_tokens": virtual_tokens,
        "max_tokens": max_tokens,
        "temperature": temperature,
        "popularity_correction": popularity_correction,
        "hard_negatives": hard_negatives,
        "validation_fraction": validation_fraction,
        "test_fraction": test_fraction,
        "evaluate_every": evaluate_every,
        "patience": patience,
        "replay_share": replay_share,
        "distillation_weight": distillation_weight,
        "precision": precision,
        "activation_checkpointing": gradient_checkpointing,
        "seed": seed,
    }
    finetuning.run(
        Console(highlight=False),
        Choices(
            log=Log(
                items,
                events,
                dataset,
                store,
                train_fraction,
                relevant,
                text_template,
                signal,
                time_unit,
                tuple(mapped or ()),
                format,
            ),
            source=last or source,
            continued=last is not None,
            output=output,
            training=training,
            max_minutes=max_minutes,
            report_to=report_to,
        ),
    )


def _lengths(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in text.split(",")}, reverse=True))
    except ValueError:
        raise ConfigError(f"--dimensions: got {text!r}, expected numbers, as in 64,32") from None
