"""The only door to the world: the command line and the effects behind it."""
