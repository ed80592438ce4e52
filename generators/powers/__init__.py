"""What a sandbox may do, as values, and what a change of them widens and narrows."""
