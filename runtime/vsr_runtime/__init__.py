"""``vsr-runtime``: executes a compiled policy next to an Envoy, and runs the local sandbox.

The pure core (``decision``) decides; ``server``, ``inference`` and ``sandbox`` hold sockets, threads and models. The
package never imports the compiler: the files in ``out/<policy>/router/`` are the interface.
"""
