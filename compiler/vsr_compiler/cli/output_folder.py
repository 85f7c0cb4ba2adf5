"""The policy that an output folder belongs to."""

from __future__ import annotations

from pathlib import Path

from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests import lock as locks
from vsr_compiler.manifests.tree import LOCK
from vsr_compiler.pipeline import Compiled, compile_policy, read_policy
from vsr_compiler.syntax import Scalar, load
from vsr_compiler.syntax.text import read


def enclosing(path: Path) -> Path | None:
    """Return the output folder that a path is in, or is itself, by its lock; None if there is none."""
    real = path.resolve()
    return next((folder for folder in (real, *real.parents) if (folder / LOCK).is_file()), None)


def policy_of(folder: Path) -> tuple[str, Path]:
    """Return the name in the lock of an output folder, and the policy of that name in ``policies/``.

    Raises:
        CompileError: VSR307: there is no policy of this name.
    """
    name = locks.parse((folder / LOCK).read_bytes(), str(folder / LOCK)).policy
    return name, find_policy(name)


def find_policy(name: str) -> Path:
    """Return the policy of a name in ``policies/``. Raises as ``policy_of`` does."""
    for path in sorted(Path("policies").glob("*.y*ml")):
        node = load(read(path, str(path)), str(path)).node(("metadata", "name"))
        if isinstance(node, Scalar) and node.text == name:
            return path
    message = f"no policy in policies/ is named `{name}`"
    raise CompileError([Diagnostic("VSR307", message, Span("policies"), "Pass its path with --policy.")])


def compile_with_existing_heads(name: str, policy: Path, out: Path) -> Compiled:
    """Compile a policy in memory, using the classifier heads of an output root where they are still valid."""
    return compile_policy(read_policy(policy), lambda path: read_owned(out, name, path))
