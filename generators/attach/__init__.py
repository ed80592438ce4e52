"""How a client attaches, and what its output leaves behind."""
