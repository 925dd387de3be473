"""`penchant home-encoder`: the encoder that understands a smart home, ready to be served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import MANIFEST
from penchant.training.home import adapter


def home_encoder(
    output: Annotated[Path, typer.Option(help="Directory to write; one that is there stays.")],
) -> None:
    """Exports all-MiniLM-L6-v2 with the low-rank additions that come with Penchant.

    They were fine-tuned on Home Assistant's sentences, English and Chinese.
    """
    console = Console()
    with console.status("Exporting ..."):
        export_home_encoder(output)
    said = f"The home's encoder is in {output}.\nNext: penchant serve --encoder {output} "
    console.print(
        Text(f"{said}--set signals=home, and what docs/clients/home.md names"), soft_wrap=True
    )


def export_home_encoder(directory: Path) -> Path:
    """Exports the home's encoder, unless it is there.

    Raises:
        ConfigError: the base model or a package for the export is missing.
    """
    if (directory / MANIFEST).is_file():
        return directory
    try:  # Only here: PyTorch takes seconds to load.
        from penchant.training.export import export
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the home's encoder is exported, for which the package {error.name} is missing; "
            "`pip install 'penchant[train]'`"
        ) from error
    directory.parent.mkdir(parents=True, exist_ok=True)
    source = adapter.source(directory.with_name(f"{directory.name}-source"))
    export(source, directory)
    return directory
