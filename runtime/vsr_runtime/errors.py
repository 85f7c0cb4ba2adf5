"""The one exception that a user is meant to read."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can mend. The message is one line: what is wrong, where, what to do."""
