"""Policy text in, nodes with positions out. Knows YAML, knows nothing of policies."""

from vsr_compiler.syntax.document import Document, load
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar, Sequence

__all__ = ["Document", "Mapping", "Node", "Scalar", "Sequence", "load"]
