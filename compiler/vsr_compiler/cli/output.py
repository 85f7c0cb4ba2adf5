"""Which policy an output folder is of."""

from __future__ import annotations

from pathlib import Path

from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests import lock as locks
from vsr_compiler.manifests.tree import LOCK
from vsr_compiler.pipeline import Compiled, compile_policy, read_policy
from vsr_compiler.syntax import Scalar, load
from vsr_compiler.syntax.text import read


def folder_of(path: Path) -> Path | None:
    """The output folder that a path is or lies in, by its lock; None where it lies in none."""
    real = path.resolve()
    return next((each for each in (real, *real.parents) if (each / LOCK).is_file()), None)


def policy_of(folder: Path) -> tuple[str, Path]:
    """The name in an output folder's lock, and the policy of that name among ``policies/``.

    Raises:
        CompileError: VSR307 where no policy is called so.
    """
    name = locks.parse((folder / LOCK).read_bytes(), str(folder / LOCK)).policy
    return name, find(name)


def find(name: str) -> Path:
    """The policy of a name among ``policies/``. Raises as ``policy_of`` does."""
    for path in sorted(Path("policies").glob("*.y*ml")):
        node = load(read(path, str(path)), str(path)).node(("metadata", "name"))
        if isinstance(node, Scalar) and node.text == name:
            return path
    message = f"no policy in policies/ is called `{name}`"
    raise CompileError([Diagnostic("VSR307", message, Span("policies"), "Name it with --policy.")])


def compiled(name: str, policy: Path, out: Path) -> Compiled:
    """A fresh compile, with the classifier heads that lie in an output root."""
    return compile_policy(read_policy(policy), lambda path: read_owned(out, name, path))
