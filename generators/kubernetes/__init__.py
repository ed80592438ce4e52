"""The second backend: what a workspace becomes on a Kubernetes cluster."""
