"""Models as text and pictures for people."""
