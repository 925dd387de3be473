"""`penchant home-encoder`: the encoder that understands a smart home, ready to be served."""

from __future__ import annotations

from typing import Annotated

from rich.console import Console
from rich.text import Text

from penchant.system.option_types import FLAT
from penchant.training.home.home_encoder import HomeEncoderRequest
from penchant.training.home.home_encoder import home_encoder as run


def home_encoder(*, request: Annotated[HomeEncoderRequest, FLAT]) -> None:
    """Exports all-MiniLM-L6-v2 with the low-rank additions that come with Penchant.

    They were fine-tuned on Home Assistant's sentences, English and Chinese. --extract makes such
    additions from a checkpoint of your own.
    """
    console = Console()
    with console.status("Exporting") as status:
        output = run(request, status.update)
    if request.extract is not None:
        shown = f"The adapter is in {output}."
    else:
        shown = (
            f"The home's encoder is in {output}.\nNext: penchant serve --encoder {output} "
            "--set signals=home, and the settings in docs/clients/home.md"
        )
    console.print(Text(shown), soft_wrap=True)
