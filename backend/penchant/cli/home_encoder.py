"""`penchant home-encoder`: the encoder that understands a smart home, ready to be served."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.next_steps import command_line, next_steps
from penchant.cli.step_status import text_status
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant.training.home.home_encoder import HomeEncoderRequest
from penchant.training.home.home_encoder import home_encoder as run


def home_encoder(*, request: Annotated[HomeEncoderRequest, FLAT]) -> None:
    """Exports all-MiniLM-L6-v2 with the low-rank additions that come with Penchant.

    They were fine-tuned on Home Assistant's sentences, English and Chinese. The weights are in int8
    unless --precision says otherwise. --extract makes such additions from a checkpoint of your own.
    """
    console = terminal()
    with text_status(console, "Exporting") as status:
        output = run(request, status)
    if request.extract is not None:
        shown = f"The adapter is in {output}."
    else:
        shown = f"The home's encoder is in {output}."
    console.say(shown)
    if request.extract is None:
        serve = command_line("serve", "--encoder", output, "--set", "signals=home")
        next_steps(console, {serve: "docs/clients/home.md has more settings"})
