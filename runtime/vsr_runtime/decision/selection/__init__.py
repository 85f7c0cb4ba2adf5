"""Selection of one of a decision's models from what was observed of them."""
