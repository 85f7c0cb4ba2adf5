"""The router config compiled to a decision program: pure, without files, sockets or a clock."""
