"""Guards: detection in texts and masking. Pure, and linear in the length of the text."""
