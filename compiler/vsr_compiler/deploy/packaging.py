"""Read the output of a policy by its lock, and replace an OCI image layout on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests import lock as locks
from vsr_compiler.manifests.json_input import LIMIT
from vsr_compiler.manifests.lock import Lock
from vsr_compiler.manifests.tree import LOCK

_MARK = "oci-layout"


def read(folder: Path) -> tuple[Lock, dict[str, bytes]]:
    """Return the lock of an output folder and the content of each file that it lists.

    Raises:
        CompileError: VSR500 if the lock cannot be read, VSR501 if it is broken, VSR502 for each file that differs from
            it, VSR503 for a symbolic link.
    """
    path = folder / LOCK
    try:
        with path.open("rb") as file:
            lock = locks.parse(file.read(LIMIT + 1), str(path))
    except OSError as error:
        hint = "Name a folder that vsr-compile has written, such as out/quickstart."
        message = f"{path} cannot be read: {error.strerror}"
        raise CompileError([Diagnostic("VSR500", message, Span(str(path)), hint)]) from None
    root = folder.resolve().parent
    if folder.resolve().name != lock.policy:
        message = f"the folder of the policy `{lock.policy}` is named {folder.resolve().name}"
        raise CompileError([Diagnostic("VSR502", message, Span(str(folder)), f"Name it {lock.policy}.")])
    contents = {name: read_owned(root, lock.policy, name) for name in lock.files}
    files = {
        name: content
        for name, content in contents.items()
        if content is not None and locks.sha256(content) == lock.files[name].sha256
    }
    if changed := [name for name in lock.files if name not in files]:
        hint = "Compile the policy again, and package what that writes."
        raise CompileError(
            [
                Diagnostic("VSR502", f"{folder}/{name} differs from its lock", Span(f"{folder}/{name}"), hint)
                for name in changed
            ]
        )
    return lock, files


def replace(output: Path, files: Mapping[str, bytes]) -> None:
    """Write an image layout, completely or not at all.

    Raises:
        CompileError: VSR500 if it cannot be written, VSR501 if the folder holds anything but an image layout.
    """
    try:
        if output.is_symlink() or (output.exists() and not _is_replaceable(output)):
            message = f"{output} exists and is not an OCI image layout"
            raise CompileError([Diagnostic("VSR501", message, Span(str(output)), "Name an empty or a new folder.")])
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".vsr-package-") as hidden:
            made = Path(hidden) / "new"
            for name, content in files.items():
                path = made / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            old = Path(hidden) / "old"
            if output.exists():
                output.rename(old)
            try:
                made.rename(output)
            except OSError:
                if old.exists():
                    old.rename(output)
                raise
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror}"
        raise CompileError([Diagnostic("VSR500", message, Span(str(output)), "Check the path.")]) from None


def _is_replaceable(output: Path) -> bool:
    return output.is_dir() and ((output / _MARK).is_file() or not any(output.iterdir()))
