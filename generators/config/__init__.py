"""From the text of a configuration to a checked `Config`, and from that to one workspace."""
