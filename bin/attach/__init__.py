"""Between the user's terminal and the agent's client."""
