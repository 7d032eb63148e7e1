"""The interfaces: the generated code is fresh, the wire facts hold, and everything is exported and explained.

`wire_facts.txt` beside this file lists what clients and running clusters depend on, a line for each field, enum value
and RPC of the public interfaces. A line may be added with the interface; a line that changes or goes breaks somebody.
To write the list anew: `python -m tests.unit.test_protos`, then read the difference.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from tenuto_api import admin, api, internal

ROOT = Path(__file__).resolve().parents[2]
GENERATE = ROOT / "protos" / "generate.py"
FACTS = Path(__file__).with_name("wire_facts.txt")
FIELD = descriptor_pb2.FieldDescriptorProto
PUBLIC = ("uber.cadence.api.v1", "uber.cadence.admin.v1")
FACADES = {"uber.cadence.api.v1": api, "uber.cadence.admin.v1": admin, "tenuto.internal.v1": internal}


def load_generator() -> ModuleType:
    """protos/generate.py as a module: it belongs to no package."""
    spec = importlib.util.spec_from_file_location("protos_generate", GENERATE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def parsed() -> descriptor_pb2.FileDescriptorSet:
    """The .proto files as they are now."""
    descriptors = load_generator().descriptors()
    assert isinstance(descriptors, descriptor_pb2.FileDescriptorSet)
    return descriptors


def messages_of(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[str, descriptor_pb2.DescriptorProto]]:
    """Every message of a file with its full name, nested ones too, map entries left out."""
    waiting = [(f"{file.package}.{message.name}", message) for message in file.message_type]
    while waiting:
        name, message = waiting.pop()
        yield name, message
        waiting += [(f"{name}.{n.name}", n) for n in message.nested_type if not n.options.map_entry]


def field_type(field: descriptor_pb2.FieldDescriptorProto, entries: dict[str, descriptor_pb2.DescriptorProto]) -> str:
    """A field's type as its .proto spells it, with full names: "repeated int32", "map<string,a.b.C>"."""
    if field.type_name in entries:
        key, value = entries[field.type_name].field
        return f"map<{field_type(key, {})},{field_type(value, {})}>"
    kind = field.type_name.removeprefix(".") or FIELD.Type.Name(field.type).removeprefix("TYPE_").lower()
    if field.label == FIELD.LABEL_REPEATED:
        return f"repeated {kind}"
    return f"optional {kind}" if field.proto3_optional else kind


def facts_of(files: descriptor_pb2.FileDescriptorSet) -> list[str]:
    """One line for each thing on the wire, sorted: where, what and of what type."""
    facts: list[str] = []
    for file in files.file:
        if file.package not in PUBLIC:
            continue
        for service in file.service:
            for rpc in service.method:
                streams = f"{'stream ' * rpc.client_streaming}", f"{'stream ' * rpc.server_streaming}"
                path = f"/{file.package}.{service.name}/{rpc.name}"
                facts.append(f"rpc {path}: {streams[0]}{rpc.input_type[1:]} -> {streams[1]}{rpc.output_type[1:]}")
        enums = [(f"{file.package}.{enum.name}", enum) for enum in file.enum_type]
        for name, message in messages_of(file):
            facts.append(f"message {name}")
            enums += [(f"{name}.{enum.name}", enum) for enum in message.enum_type]
            entries = {f".{name}.{nested.name}": nested for nested in message.nested_type if nested.options.map_entry}
            for field in message.field:
                in_oneof = field.HasField("oneof_index") and not field.proto3_optional
                choice = f" (one of {message.oneof_decl[field.oneof_index].name})" if in_oneof else ""
                facts.append(f"field {name}#{field.number}: {field_type(field, entries)} {field.name}{choice}")
        facts += [f"value {name}#{value.number}: {value.name}" for name, enum in enums for value in enum.value]
    return sorted(facts)


def test_generated_code_is_fresh() -> None:
    outcome = subprocess.run([sys.executable, GENERATE, "--check"], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr


def test_update_makes_a_tree_hold_exactly_what_was_generated(tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text("same")
    (tmp_path / "gone.py").write_text("left over")
    (tmp_path / "stale.py").write_text("old")
    before = (tmp_path / "kept.py").stat().st_mtime_ns
    load_generator().update(tmp_path, {"kept.py": b"same", "stale.py": b"new", "deep/new.py": b""})
    found = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*.py")}
    assert found == {"kept.py": "same", "stale.py": "new", "deep/new.py": ""}
    assert (tmp_path / "kept.py").stat().st_mtime_ns == before


def test_wire_facts_hold(parsed: descriptor_pb2.FileDescriptorSet) -> None:
    recorded = set(FACTS.read_text(encoding="utf-8").splitlines())
    actual = set(facts_of(parsed))
    assert sorted(recorded - actual) == [], "the interface no longer has these"
    assert sorted(actual - recorded) == [], "wire_facts.txt does not know these"


def test_the_interface_has_the_rpcs_events_and_decisions_that_clients_know(
    parsed: descriptor_pb2.FileDescriptorSet,
) -> None:
    counts = {s.name: len(s.method) for f in parsed.file if f.package in PUBLIC for s in f.service}
    public = {"DomainAPI": 8, "WorkflowAPI": 18, "WorkerAPI": 14, "VisibilityAPI": 7, "ScheduleAPI": 8, "MetaAPI": 1}
    assert counts == public | {"AdminAPI": 39}
    assert len(api.HistoryEvent.DESCRIPTOR.oneofs_by_name["attributes"].fields) == 42
    assert len(api.Decision.DESCRIPTOR.oneofs_by_name["attributes"].fields) == 13


def test_facades_export_every_message_enum_and_value(parsed: descriptor_pb2.FileDescriptorSet) -> None:
    missing = []
    for file in parsed.file:
        facade = FACADES[file.package]
        names = [message.name for message in file.message_type]
        for enum in file.enum_type:
            names += [enum.name, *(value.name for value in enum.value)]
        missing += [f"{facade.__name__}.{name}" for name in names if not hasattr(facade, name)]
    assert missing == []


def test_facades_export_the_generated_classes_themselves() -> None:
    assert api.WorkflowExecution.DESCRIPTOR.full_name == "uber.cadence.api.v1.WorkflowExecution"
    assert admin.DescribeClusterResponse.DESCRIPTOR.full_name == "uber.cadence.admin.v1.DescribeClusterResponse"
    assert internal.Frame.DESCRIPTOR.full_name == "tenuto.internal.v1.Frame"
    # A message of one facade inside a message of another is the same class, not a copy.
    assert type(admin.DescribeClusterResponse().supported_client_versions) is api.SupportedClientVersions


def test_descriptors_are_registered_once_however_often_the_package_is_imported() -> None:
    pool = descriptor_pool.Default()
    before = pool.FindMessageTypeByName("uber.cadence.api.v1.HistoryEvent")
    module = importlib.import_module("tenuto_api.uber.cadence.api.v1.history_pb2")
    again = importlib.reload(module)
    assert pool.FindMessageTypeByName("uber.cadence.api.v1.HistoryEvent") is before
    assert again.HistoryEvent.DESCRIPTOR is before
    assert api.HistoryEvent.DESCRIPTOR is before


def test_sdk_and_services_share_one_process_and_one_set_of_messages() -> None:
    # In a process of its own: here others may have imported either already.
    script = (
        "import tenuto, tenuto_server.errors, sys\n"
        "from tenuto_api import api\n"
        "assert tenuto_server.errors.api is api\n"
        "copies = [n for n in sys.modules if n.endswith('cadence.api.v1.history_pb2')]\n"
        "assert copies == ['tenuto_api.uber.cadence.api.v1.history_pb2'], copies\n"
    )
    outcome = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr


def test_every_message_enum_and_rpc_of_the_public_interfaces_is_explained(
    parsed: descriptor_pb2.FileDescriptorSet,
) -> None:
    silent = []
    for file in parsed.file:
        if file.package in PUBLIC:
            explained = {tuple(at.path) for at in file.source_code_info.location if at.leading_comments.strip()}
            silent += [f"{file.name}: {name}" for path, name in to_explain(file) if path not in explained]
    assert silent == []


def to_explain(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """What needs a comment: its path in the descriptor and its name. An empty message needs none."""
    number = {field.name: field.number for field in file.DESCRIPTOR.fields}
    for i, message in enumerate(file.message_type):
        if message.field:
            yield (number["message_type"], i), message.name
    for i, enum in enumerate(file.enum_type):
        yield (number["enum_type"], i), enum.name
    for i, service in enumerate(file.service):
        yield (number["service"], i), service.name
        for j, rpc in enumerate(service.method):
            yield (number["service"], i, service.DESCRIPTOR.fields_by_name["method"].number, j), rpc.name


if __name__ == "__main__":
    FACTS.write_text("".join(f"{line}\n" for line in facts_of(load_generator().descriptors())), encoding="utf-8")
