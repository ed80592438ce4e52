"""What may be expected of a running sandbox, and what was seen in it."""
