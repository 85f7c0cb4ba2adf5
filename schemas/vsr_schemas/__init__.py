"""The contracts that cross a boundary: policy, router config, runtime settings, report formats.

Imports nothing of ours. The compiler and the runtime both stand on these models,
and know of each other only through them.
"""
