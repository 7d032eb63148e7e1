"""Generates the package tenuto_api from the .proto files beside this script; with --check, says whether it is fresh.

The generated modules live under tenuto_api (not at the top as protoc would have it), so that they never collide with
another distribution that carries Cadence's interface; their imports are rewritten to match. For each proto package one
module re-exports all its messages, enums and values: tenuto_api.api, tenuto_api.admin, tenuto_api.internal.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2
from grpc_tools import protoc

HERE = Path(__file__).resolve().parent
PACKAGE = "tenuto_api"
FACADES = {
    "api": ("uber/cadence/api/v1", "Every message, enum and value of uber.cadence.api.v1."),
    "admin": ("uber/cadence/admin/v1", "Every message, enum and value of uber.cadence.admin.v1."),
    "internal": ("tenuto/internal/v1", "Every message, enum and value of the interfaces between services."),
}
IMPORT = re.compile(r"^(from|import) (uber|tenuto)\.", re.MULTILINE)


def proto_files() -> list[str]:
    """The .proto files, relative to this folder, sorted."""
    found = [path for root in ("uber", "tenuto") for path in (HERE / root).rglob("*.proto")]
    return sorted(path.relative_to(HERE).as_posix() for path in found)


def protoc_run(*outputs: str) -> None:
    """Runs protoc on all files with the given output options; ends the program where it fails (protoc says why)."""
    well_known = Path(protoc.__file__).parent / "_proto"
    if protoc.main(["protoc", f"-I{HERE}", f"-I{well_known}", *outputs, *proto_files()]) != 0:
        sys.exit("protoc failed")


def descriptors() -> descriptor_pb2.FileDescriptorSet:
    """What the .proto files say now, their comments too, without what they import from elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "descriptors.pb"
        protoc_run(f"--descriptor_set_out={path}", "--include_source_info")
        return descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())


def generate(target: Path) -> None:
    """Writes the whole generated package into the empty folder `target`."""
    protoc_run(f"--python_out={target}", f"--pyi_out={target}")
    for path in [*target.rglob("*_pb2.py"), *target.rglob("*_pb2.pyi")]:
        path.write_text(IMPORT.sub(rf"\1 {PACKAGE}.\2.", path.read_text(encoding="utf-8")), encoding="utf-8")
    for folder in {parent for path in target.rglob("*_pb2.py") for parent in path.relative_to(target).parents}:
        (target / folder / "__init__.py").write_text("", encoding="utf-8")
    doc = '"""Cadence\'s gRPC interface and Tenuto\'s internal ones, as protobuf messages."""\n'
    (target / "__init__.py").write_text(doc, encoding="utf-8")
    (target / "py.typed").write_text("", encoding="utf-8")
    parsed = descriptors()
    for name, (folder_name, doc) in FACADES.items():
        (target / f"{name}.py").write_text(facade(parsed, folder_name, doc), encoding="utf-8")


def facade(parsed: descriptor_pb2.FileDescriptorSet, folder: str, doc: str) -> str:
    """The text of a module that re-exports what the files of one folder define."""
    lines = [f'"""{doc} Generated: do not edit."""', ""]
    for file in sorted(parsed.file, key=lambda file: file.name):
        if not file.name.startswith(folder + "/"):
            continue
        names = [message.name for message in file.message_type]
        for enum in file.enum_type:
            names += [enum.name, *(value.name for value in enum.value)]
        if not names:
            continue
        module = f"{PACKAGE}." + file.name.removesuffix(".proto").replace("/", ".") + "_pb2"
        lines.append(f"from {module} import (")
        lines += [f"    {name} as {name}," for name in sorted(names)]
        lines.append(")")
    return "\n".join(lines) + "\n"


def contents(tree: Path) -> dict[str, bytes]:
    """Every file below `tree`, by relative path; compiled Python is left out."""
    return {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def update(committed: Path, fresh: dict[str, bytes]) -> None:
    """Makes the tree `committed` hold `fresh` and nothing else; files that are right already are not touched."""
    before = contents(committed)
    for name in before.keys() - fresh.keys():
        (committed / name).unlink()
    for name, body in fresh.items():
        if before.get(name) != body:
            (committed / name).parent.mkdir(parents=True, exist_ok=True)
            (committed / name).write_bytes(body)


def main() -> None:
    """Generates into a temporary folder first, so that a mistake in a .proto file leaves the committed code alone."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the committed code is not fresh")
    check: bool = parser.parse_args().check
    committed = HERE / PACKAGE
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = contents(Path(folder))
    if not check:
        update(committed, fresh)
        return
    found = contents(committed)
    stale = sorted(name for name in fresh.keys() | found.keys() if fresh.get(name) != found.get(name))
    if stale:
        sys.exit("generated code is not fresh (run `make protos`): " + ", ".join(stale))


if __name__ == "__main__":
    main()
