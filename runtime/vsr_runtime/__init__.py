"""``vsr-runtime``: executes a compiled policy beside an Envoy, and runs the local stand.

Pure rooms (``program``, ``request``) decide; the rim (``serve``, ``inference``, ``local``) holds sockets, threads and
models. Never imports the compiler: the files in ``out/<policy>/router/`` are the interface.
"""
