"""Checks the files of audit logs: each chain from its first record to its end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsr_runtime.errors import UserError
from vsr_runtime.server.audit.chain import MAX_LINE, BrokenChainError, Head, checked

ENDING = ".jsonl"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one chain.

    Attributes:
        chain: its name, by its files.
        head: its end; None if nothing could be read.
        broken: the place and reason of the first break; None if it is whole.
    """

    chain: str
    head: Head | None
    broken: str | None


def verify(paths: Iterable[Path], heads: Sequence[Head] = (), *, cut: bool = False) -> list[Verdict]:
    """Check files and all files of folders.

    Args:
        paths: files and folders.
        heads: ends of chains that were exported: the chains must have these records.
        cut: whether the oldest files of a chain may be missing.

    Raises:
        UserError: there are no files, or one cannot be read.
    """
    chains: dict[str, list[Path]] = {}
    for path in _files(paths):
        chains.setdefault(path.name.removesuffix(ENDING).rpartition(".")[0], []).append(path)
    if not chains:
        raise UserError(f"there are no files *{ENDING}")
    verdicts = [
        _chain(name, sorted(files), {head.number: head.hash for head in heads if head.chain == name}, cut=cut)
        for name, files in sorted(chains.items())
    ]
    missing = sorted({head.chain for head in heads} - chains.keys())
    return verdicts + [Verdict(name, None, f"{name}: no file of this chain is here") for name in missing]


def read_heads(path: Path) -> list[Head]:
    """Return the exported ends of chains: lines ``audit_head`` of the runtime's log, among any others.

    Raises:
        UserError: the file cannot be read.
    """
    found = []
    try:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE):
                if b'"audit_head"' in line and (head := _head(line)) is not None:
                    found.append(head)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from None
    return found


def _head(line: bytes) -> Head | None:
    try:
        value = json.loads(line[line.index(b"{") :])
        if value.get("event") != "audit_head":
            return None
        return Head(str(value["chain"]), int(value["number"]), str(value["hash"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        yield from sorted(path.glob(f"*{ENDING}")) if path.is_dir() else [path]


def _chain(name: str, files: Sequence[Path], heads: Mapping[int, str], *, cut: bool) -> Verdict:
    head, place = None, str(files[0])
    try:
        for path in files:
            with path.open("rb") as file:
                number = 0
                while line := file.readline(MAX_LINE + 1):
                    number += 1
                    place = f"{path}:{number}"
                    head = _next(name, head, line, heads, cut=cut)
    except OSError as error:
        raise UserError(f"{place} cannot be read ({error.strerror})") from None
    except BrokenChainError as error:
        return Verdict(name, head, f"{place}: {error}")
    last = head.number if head else 0
    if late := [number for number in heads if number > last]:
        return Verdict(name, head, f"{files[-1]}: ends with record {last}, but record {max(late)} was exported")
    return Verdict(name, head, None)


def _next(name: str, head: Head | None, line: bytes, heads: Mapping[int, str], *, cut: bool) -> Head:
    following = checked(head, line)
    if head is None:
        if following.chain != name:
            raise BrokenChainError(f"belongs to the chain {following.chain}")
        if following.number != 1 and not cut:
            raise BrokenChainError(f"has the number {following.number}: what was before it is missing")
    if heads.get(following.number, following.hash) != following.hash:
        raise BrokenChainError("is not the record that was exported")
    return following
