"""Everything that is written: overlays, Argo CD objects, the output tree."""
