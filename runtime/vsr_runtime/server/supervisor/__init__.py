"""Several child processes on one address, and the parent that looks after them."""
