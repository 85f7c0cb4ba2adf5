"""The output directory: the tree of files, its lock, and how both are written and compared."""

from vsr_compiler.deploy.output.write import Report, check, read_owned, write
from vsr_compiler.manifests.lock import Entry, Lock
from vsr_compiler.manifests.tree import LOCK, File, Tree
from vsr_compiler.manifests.yaml import UnprintableError, dump, dump_all, header

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
