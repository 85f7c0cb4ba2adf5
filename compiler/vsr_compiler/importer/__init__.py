"""Other people's configurations as one policy, with a report of what could not be carried over.

``sources`` reads files, ``registry`` knows the families of formats, and each family writes to a ``Draft``. ``run`` puts
them together. What a format says and the policy does not is a finding at its place in the source.
"""

from vsr_compiler.importer.model import Correspondence, Imported, Options, Rename
from vsr_compiler.importer.run import import_files

__all__ = ["Correspondence", "Imported", "Options", "Rename", "import_files"]
