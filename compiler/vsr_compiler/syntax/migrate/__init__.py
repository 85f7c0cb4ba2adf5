"""Conversion of policies and fragments to today's version of the policy language."""

from vsr_compiler.syntax.migrate.convert import migrated
from vsr_compiler.syntax.migrate.files import Change, plan

__all__ = ["Change", "migrated", "plan"]
