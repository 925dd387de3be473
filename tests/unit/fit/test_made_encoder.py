"""A fit that makes its encoder: texts of columns, the projection, and what is kept of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penchant.encoder.onnx import OnnxEncoder
from penchant.fit.fit import fit
from penchant.fit.fit_request import FitRequest, FitResult
from penchant.launch.server_store import open_server_store
from penchant.logs.log_source import LogSource
from penchant.store.items import scan_items
from tests.support.shop_log import write_csv
from tests.support.tiny_encoders import write_encoder
from tests.unit.fit.logs_to_fit import KINDS, write_log


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FitResult]:
    """A log whose items have a title and a kind, but no text."""
    place = tmp_path_factory.mktemp("made")
    write_log(place, events=900)
    rows = [(f"i{n}", f"make {n // 4} of {n % 7}", KINDS[n % len(KINDS)]) for n in range(60)]
    write_csv(place / "items.csv", ("item_id", "title", "kind"), rows)
    source = place / "source"
    source.mkdir()
    write_encoder(source, ["make", "of", *KINDS, *map(str, range(20))])
    log = LogSource(items=place / "items.csv", events=place / "events.csv")
    request = FitRequest(
        log,
        output=place / "fitted",
        source=source,
        dimensions=8,
        trials=4,
        finetune="no",
        peers=(),
    )
    return place, fit(request)


def test_the_text_is_made_of_columns_and_stored_with_the_items(
    made: tuple[Path, FitResult],
) -> None:
    _, found = made
    assert found.template in ("{title}", "{title}. {kind}")
    with open_server_store(found.store) as server, server.store.snapshot() as snapshot:
        texts = {stored.item.id: stored.item.text for stored in scan_items(snapshot)}
    assert texts["i5"].startswith("make 1 of 5")


def test_the_encoder_that_serves_gives_the_vectors_that_were_tried(
    made: tuple[Path, FitResult],
) -> None:
    _, found = made
    encoder = OnnxEncoder.load(found.encoder, threads=1)
    assert encoder.version == found.release.encoder_version
    vectors = encoder.encode(["make 1 of 5. tent", "make 2 of 3. lamp"])
    assert vectors.shape == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_what_was_worked_out_is_kept_and_what_was_for_work_is_gone(
    made: tuple[Path, FitResult],
) -> None:
    place, found = made
    assert not (place / "fitted" / "work").exists()
    assert any(line.startswith("Items are encoded by:") for line in found.said)
    request = FitRequest(
        LogSource(items=place / "items.csv", events=place / "events.csv"),
        output=place / "fitted",
        source=place / "source",
        dimensions=8,
        trials=4,
        finetune="no",
        peers=(),
    )
    again = fit(request)
    assert again.release.id == found.release.id
    assert again.said == found.said


def test_more_dimensions_than_the_source_has_are_refused_at_once(
    made: tuple[Path, FitResult],
) -> None:
    place, _ = made
    request = FitRequest(
        LogSource(items=place / "items.csv", events=place / "events.csv"),
        output=place / "other",
        source=place / "source",
        dimensions=1000,
    )
    with pytest.raises(Exception, match=r"dimensions: got 1000, expected 1 to the source's 32"):
        fit(request)
