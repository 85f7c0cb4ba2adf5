"""YAML text to nodes with positions. Independent of the policy language."""

from vsr_compiler.syntax.document import Document, load
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar, Sequence

__all__ = ["Document", "Mapping", "Node", "Scalar", "Sequence", "load"]
