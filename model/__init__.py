"""The nouns: frozen models and pure functions on them. Nothing here touches the world."""
