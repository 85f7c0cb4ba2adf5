"""Output: YAML as kustomize prints it, the tree of files, its lock, and how both reach the disk."""

from compiler.output.lock import Entry, Lock
from compiler.output.tree import LOCK, File, Tree
from compiler.output.write import Report, check, read_owned, write
from compiler.output.yaml import UnprintableError, dump, dump_all, header

__all__ = [
    "LOCK",
    "Entry",
    "File",
    "Lock",
    "Report",
    "Tree",
    "UnprintableError",
    "check",
    "dump",
    "dump_all",
    "header",
    "read_owned",
    "write",
]
