"""CEL, the language of rules in CustomResourceDefinitions: compiled once, evaluated within a budget.

Source: the language definition of the Common Expression Language, and the CEL libraries of Kubernetes 1.32.
"""

from vsr_compiler.verify.schema.cel.program import Program, compiled
from vsr_compiler.verify.schema.cel.syntax import CelSyntaxError
from vsr_compiler.verify.schema.cel.values import Budget, CelError, CostError

__all__ = ["Budget", "CelError", "CelSyntaxError", "CostError", "Program", "compiled"]
