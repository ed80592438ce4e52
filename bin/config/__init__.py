"""The configuration file and what it names: read, fetched, gathered, written."""
