"""Build kustomizations as kustomize does, with the place of each part in the files of the user.

The common subset is built here, so that results need no program and are equal on every machine. The rest is left to
``kubectl kustomize`` where it is installed.
"""
