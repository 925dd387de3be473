"""The lines of Triton's log that explain a failure."""

from __future__ import annotations

from penchant.launch import server_log

START = 'W1124 08:31:22.622860 6552 pinned_memory_manager.cc:273] "Unable to allocate"'
NOISE = 'E1124 08:31:22.623033 6552 server.cc:241] "CudaDriverHelper has not been initialized."'


def failed(model: str, text: str) -> str:
    return (
        f"E1124 08:31:22.624178 6552 model_lifecycle.cc:642] "
        f"\"failed to load '{model}' version 1: Internal: {text}\""
    )


def test_a_models_own_error_comes_alone_and_once() -> None:
    text = "[ConfigError] store: missing"
    lines = [
        START,
        NOISE,
        failed("a", text + "\\n\\nAt:\\n  /x/model.py(9): initialize\\n"),
        failed("b", text),
        failed("c", "some consequence"),
    ]
    assert server_log.failure("\n".join(lines)) == [text]


def test_without_a_reason_tritons_errors_are_shown_once_each() -> None:
    lines = [START, NOISE, failed("a", "no module x"), failed("b", "no module x"), failed("c", "y")]
    assert server_log.failure("\n".join(lines)) == ["no module x", "y"]


def test_a_log_without_errors_gives_its_last_lines() -> None:
    assert server_log.failure("one\ntwo\nthree\n", limit=2) == ["two", "three"]
    assert server_log.failure("") == []
