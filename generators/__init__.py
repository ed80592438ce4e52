"""The verbs: pure functions from text to model, from model to model and from model to text."""
