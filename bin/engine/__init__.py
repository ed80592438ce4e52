"""The one door to Docker: which engine, and every question and order to it."""
