"""The nouns of a sandbox on a Kubernetes cluster: what is set, and the objects that are emitted."""
