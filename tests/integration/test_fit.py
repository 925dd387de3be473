"""The guide from a log to a server, as a reader would run it: the printed line serves."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from penchant_sdk import Event, Penchant
from tests.architecture.source_tree import ROOT
from tests.integration.test_readme import commands, run, serving
from tests.support.printed_commands import commands_in
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server

GUIDE = ROOT / "docs" / "guides" / "fit.md"


def test_the_guide_ends_with_a_server_that_has_learnt_the_log(tmp_path: Path) -> None:
    texts = []
    for name, rows in re.findall(r'```csv title="(.+?)"\n(.*?)```', GUIDE.read_text(), re.DOTALL):
        (tmp_path / name).write_text(rows)
        texts.append(rows)
    fit, serve = commands(GUIDE)
    write_word_encoder(tmp_path / "words", texts, dimensions=8, seed=1)
    printed = run([*fit, "--encoder", "words"], tmp_path)
    assert commands_in(printed)[-1] == serve == shlex.split(printed.splitlines()[-1])[1:]
    assert "each row counts as a like" in printed
    with serving(serve, tmp_path) as target, Penchant(target, timeout_s=30.0) as penchant:
        ranking = penchant.rank("ben", k=6, exclude_seen=True)
        assert set(ranking.ids) == {"p1", "p2", "p4", "p6"}
        assert not ranking.cold_start
        assert penchant.user("ben").state_version == 2
        ack = penchant.feedback([Event(user="ben", item="p4", signal="like")])
        ack.raise_for_refused()
        again = penchant.rank("ben", k=6, exclude_seen=True)
        assert "p4" not in again.ids
