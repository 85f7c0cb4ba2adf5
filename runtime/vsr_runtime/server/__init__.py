"""The rim of the server: gRPC, HTTP, threads, signals of the operating system. Decides nothing."""
