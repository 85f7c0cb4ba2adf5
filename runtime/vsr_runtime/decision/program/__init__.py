"""The router's config compiled to a decision program: pure, no file, no socket, no clock."""
