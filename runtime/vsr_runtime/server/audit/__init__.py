"""The audit log: decisions as a chain of hashes, in which a changed, missing or added record is found."""
