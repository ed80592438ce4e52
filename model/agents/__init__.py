"""The agents that a sandbox can be made for: what is asked of one, and one file for each."""
