"""The compiler from policy text to output tree: read, link, analyse, render, lay out, check."""

from vsr_compiler.pipeline.checking import findings, preview
from vsr_compiler.pipeline.compiling import Compiled, compile_policy
from vsr_compiler.pipeline.reading import read_policy
from vsr_compiler.pipeline.router_files import Existing

__all__ = ["Compiled", "Existing", "compile_policy", "findings", "preview", "read_policy"]
