"""A release's folder: equal content has one id, and changed content is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.encoder.library import MANIFEST
from penchant.releases.loaded_release import install_release, load_release
from penchant.releases.manifest import check_release, read_manifest
from tests.support.released import Releasing, load_words
from tests.support.world import liked


@pytest.fixture
def releasing(tmp_path: Path) -> Releasing:
    releasing = Releasing(tmp_path)
    releasing.world.put(a="one film", b="another film")
    releasing.world.feed(liked("e1", "a"), liked("e2", "b"))
    return releasing


def test_equal_content_has_one_id_and_one_folder(releasing: Releasing) -> None:
    one, two = releasing.build("second"), releasing.build("second")
    assert one.id == two.id
    assert [path.name for path in releasing.releases.iterdir()] == [one.id]


def test_each_setting_and_each_file_makes_another_id(releasing: Releasing) -> None:
    ids = {
        releasing.build("second").id,
        releasing.build("second", weights={"fast_weight": 1.5}).id,
        releasing.build("second", parent="0123456789abcdef").id,
        releasing.build("third").id,
    }
    releasing.world.feed(liked("e3", "a", user="v"))
    ids.add(releasing.build("second").id)
    assert len(ids) == 5


def test_a_manifest_says_what_the_release_is(releasing: Releasing) -> None:
    manifest = releasing.build("second", weights={"fast_weight": 1.5})
    read = read_manifest(releasing.releases / manifest.id)
    assert read == manifest
    assert read.data["items"] == 2
    assert read.data["events"] == 2
    assert read.versions["numpy"]
    assert set(read.files) == {
        "encoder/encoder.json",
        "encoder/encoder.onnx",
        "encoder/tokenizer.json",
        "items.npz",
    }


@pytest.mark.parametrize("path", ["items.npz", "encoder/encoder.onnx", "encoder/tokenizer.json"])
def test_a_changed_file_is_named(releasing: Releasing, path: str) -> None:
    folder = releasing.releases / releasing.build("second").id
    with (folder / path).open("ab") as file:
        file.write(b"x")
    with pytest.raises(ConfigError, match=f"{path} is not the file that was released"):
        load_release(folder, "publish", load_words)


def test_a_missing_and_an_added_file_are_named(releasing: Releasing) -> None:
    folder = releasing.releases / releasing.build("second").id
    (folder / "more.txt").write_text("more")
    with pytest.raises(ConfigError, match=r"more.txt is not the file"):
        check_release(folder)
    (folder / "more.txt").unlink()
    (folder / "items.npz").unlink()
    with pytest.raises(ConfigError, match=r"items.npz is missing"):
        check_release(folder)


def test_an_edited_manifest_is_found(releasing: Releasing) -> None:
    folder = releasing.releases / releasing.build("second").id
    text = (folder / MANIFEST).read_text(encoding="utf-8")
    edited = text.replace('"score_weights": {}', '"score_weights": {"fast_weight": 9.0}')
    (folder / MANIFEST).write_text(edited, encoding="utf-8")
    with pytest.raises(ConfigError, match="but its content is"):
        check_release(folder)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no release\.json"):
        check_release(tmp_path)


def test_an_installed_release_is_the_same_and_installing_again_changes_nothing(
    releasing: Releasing, tmp_path: Path
) -> None:
    manifest = releasing.build("second")
    folder = releasing.releases / manifest.id
    place = install_release(folder, tmp_path / "elsewhere")
    assert check_release(place) == manifest
    shutil.rmtree(folder)
    assert install_release(place, tmp_path / "elsewhere") == place
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == [manifest.id]
