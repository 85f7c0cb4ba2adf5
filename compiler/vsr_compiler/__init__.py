"""``vsr-compile``: one routing policy in, router config and gateway manifests out."""
