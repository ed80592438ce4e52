"""Bring about what a bundle says, and look at what is there."""
