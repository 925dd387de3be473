"""The home's encoder is written in int8, or in fp32 if that is asked for."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import GRAPH, MANIFEST
from penchant.training.export import ExportRequest
from penchant.training.home import home_encoder as module
from penchant.training.home.home_encoder import HomeEncoderRequest, encoder_name, home_encoder
from tests.unit.training.compress.planted import write_outlier_encoder


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small encoder in place of the export, which takes half a minute."""

    def export(request: ExportRequest, on_stage: object) -> None:
        write_outlier_encoder(request.output)

    monkeypatch.setattr(module, "export_encoder", export)


def _kinds(directory: Path) -> set[str]:
    return {node.op_type for node in onnx.load(directory / GRAPH).graph.node}


@pytest.mark.usefixtures("exported")
def test_the_weights_are_in_int8_unless_fp32_is_asked_for(tmp_path: Path) -> None:
    small = home_encoder(HomeEncoderRequest(tmp_path / "small"))
    plain = home_encoder(HomeEncoderRequest(tmp_path / "plain", precision="fp32"))
    assert (small / MANIFEST).is_file()
    assert "MatMulNBits" in _kinds(small)
    assert "MatMulNBits" not in _kinds(plain)


def test_an_unknown_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="precision: got 'fp64', expected int8 or fp32"):
        HomeEncoderRequest(tmp_path, precision="fp64")


def test_encoders_of_two_precisions_have_two_names() -> None:
    assert encoder_name() == encoder_name("int8") != encoder_name("fp32")
