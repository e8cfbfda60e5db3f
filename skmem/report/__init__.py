"""Results in words: plain dicts, and text made of them."""
