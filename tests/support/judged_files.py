"""Verify a layout as the command does, with definitions that are compiled once for all layouts."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify import check_links, schema
from vsr_compiler.verify.assumptions import Assumptions
from vsr_compiler.verify.files import read_worlds
from vsr_compiler.verify.placeholders import without_dependent
from vsr_compiler.verify.shown import once_per_place
from vsr_compiler.verify.worlds import check_worlds


@lru_cache(maxsize=1)
def catalog() -> schema.Catalog:
    """The definitions that come with the package."""
    return schema.Catalog.of((), {"VSR_CACHE_DIR": "/nowhere"}, with_bundle=True)


def written(folder: Path, files: dict[str, str]) -> Path:
    """A folder with files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def verified(folder: Path) -> list[Diagnostic]:
    """The findings on a folder."""
    read = read_worlds([folder], namespace="default")
    objects = {id(item): item for world in read.worlds for item in world.manifests}
    found = [*read.diagnostics, *schema.check_schemas(objects.values(), catalog(), lambda _file: {})]
    found += check_worlds(read.worlds, Assumptions(), check_links)
    return once_per_place(without_dependent(dict.fromkeys(found), read.marks))
