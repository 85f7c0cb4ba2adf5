"""What guards find in a text, and how it is masked: pure, and linear in the length of the text."""
