"""Policy text in, nodes with positions out. Knows YAML, knows nothing of policies."""

from compiler.source.document import Document, load
from compiler.source.nodes import Mapping, Node, Scalar, Sequence

__all__ = ["Document", "Mapping", "Node", "Scalar", "Sequence", "load"]
