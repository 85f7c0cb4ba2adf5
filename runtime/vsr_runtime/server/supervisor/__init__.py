"""Several child processes on one address, and the parent process that supervises them."""
