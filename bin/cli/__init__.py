"""The command line: from words to one call, and from errors to words and exit codes."""
