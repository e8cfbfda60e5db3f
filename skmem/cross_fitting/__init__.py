"""Score each row by fits that saw it and by fits that did not."""
