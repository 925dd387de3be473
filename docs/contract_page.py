"""The reference of the protobuf contract, from the `.proto` files and their comments."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc
from markdown_text import page, table

from penchant_proto.methods import METHODS

PROTO = Path(__file__).resolve().parents[1] / "proto"
ORDER = (
    "service", "rank", "feedback", "event", "reserve", "catalog", "item", "user", "embed",
    "ads", "games", "home",
)  # fmt: skip
"""The files in the order of the page."""


def contract_page() -> str:
    """The service and every message of the `.proto` files, with their comments."""
    described = {file.name: file for file in _descriptors()}
    files = [described[f"penchant/v1/{name}.proto"] for name in ORDER]
    (service,) = files[0].service
    rows = [
        (
            f"`{method.name}`",
            f"[`{_short(method.input_type)}`](#{_short(method.input_type)})",
            f"[`{_short(method.output_type)}`](#{_short(method.output_type)})",
            f"`{model}`",
        )
        for method in service.method
        for model in [next(m.model for m in METHODS.values() if m.name == method.name)]
    ]
    parts = [
        "# The contract",
        "Generated from `proto/penchant/v1`, which is the contract. Each call is one KServe v2 "
        "inference on one of five Triton models; [Any language](any-language.md) shows how to "
        "make it without the SDK.",
        "## Methods",
        table(("method", "request", "reply", "Triton model"), rows),
    ]
    for file in files:
        parts += [f"## {file.name.rpartition('/')[2]}", *_messages(file)]
    return page(parts)


def _descriptors() -> Iterable[FileDescriptorProto]:
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory, "set")
        names = [path.relative_to(PROTO) for path in PROTO.glob("penchant/v1/*")]
        include = Path(inspect.getfile(protoc)).parent / "_proto"
        options = [f"-I{PROTO}", f"-I{include}", "--include_source_info"]
        arguments = ["protoc", *options, f"--descriptor_set_out={output}", *map(str, sorted(names))]
        if protoc.main(arguments) != 0:
            raise RuntimeError("protoc refused the contract")
        return FileDescriptorSet.FromString(output.read_bytes()).file


def _messages(file: FileDescriptorProto) -> Iterator[str]:
    comments = {
        tuple(place.path): " ".join(place.leading_comments.split())
        for place in file.source_code_info.location
    }

    def message(item: Any, path: tuple[int, ...], prefix: str) -> Iterator[str]:
        name = prefix + item.name
        yield f"### {name} {{ #{name} }}"
        yield comments.get(path, "")
        maps = {
            f"{name}.{one.name}": _map(one) for one in item.nested_type if one.options.map_entry
        }
        rows = [
            (f"`{one.name}`", str(one.number), _type(one, maps), comments.get((*path, 2, n), ""))
            for n, one in enumerate(item.field)
        ]
        if any(meaning for *_, meaning in rows):
            yield table(("field", "number", "type", "meaning"), rows)
        elif rows:
            yield table(("field", "number", "type"), (row[:3] for row in rows))
        for n, nested in enumerate(item.nested_type):
            if not nested.options.map_entry:
                yield from message(nested, (*path, 3, n), f"{name}.")
        for n, enum in enumerate(item.enum_type):
            yield from enumeration(enum, (*path, 4, n), f"{name}.")

    def enumeration(item: Any, path: tuple[int, ...], prefix: str) -> Iterator[str]:
        yield f"### {prefix}{item.name} {{ #{prefix}{item.name} }}"
        yield comments.get(path, "")
        rows = [
            (f"`{one.name}`", str(one.number), comments.get((*path, 2, n), ""))
            for n, one in enumerate(item.value)
        ]
        yield table(("value", "number", "meaning"), rows)

    for n, item in enumerate(file.message_type):
        yield from message(item, (4, n), "")
    for n, enum in enumerate(file.enum_type):
        yield from enumeration(enum, (5, n), "")


def _type(field: Any, maps: Mapping[str, str]) -> str:
    kind = _scalar(field)
    if field.type_name:
        short = _short(field.type_name)
        if short in maps:
            return maps[short]
        kind = f"[{short}](#{short})"
    repeated = field.label == field.LABEL_REPEATED
    return f"{'repeated ' if repeated else 'optional ' if field.proto3_optional else ''}{kind}"


def _map(entry: Any) -> str:
    return f"map of {' to '.join(_scalar(field) for field in entry.field)}"


def _scalar(field: Any) -> str:
    name: str = field.Type.Name(field.type)
    return name.removeprefix("TYPE_").lower()


def _short(name: str) -> str:
    return name.removeprefix(".penchant.v1.")
