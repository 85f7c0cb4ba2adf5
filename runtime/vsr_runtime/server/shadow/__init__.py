"""A candidate policy that decides the requests of the active one, too, and whose decisions are only compared."""
