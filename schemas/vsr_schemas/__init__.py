"""The contracts that cross a boundary: policy, router config, runtime settings, report formats.

Imports no other package of this project. The compiler and the runtime share only these models.
"""
