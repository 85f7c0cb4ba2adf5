"""What is reported of requests and responses besides logs and counters."""
