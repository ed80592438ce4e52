"""What the embedded images are made of: one edit here moves a version."""

PINNED = {
    "BASE": "debian:trixie-slim",
    # npm packages; the version of an agent stands in its record (`jailoc.model.agents`)
    "BASH_LANGUAGE_SERVER_VERSION": "5.6.0",
    "PYRIGHT_VERSION": "1.1.411",
    "TYPESCRIPT_VERSION": "6.0.3",
    "TYPESCRIPT_LANGUAGE_SERVER_VERSION": "5.3.0",
    "YAML_LANGUAGE_SERVER_VERSION": "1.24.0",
}
"""Arguments of the embedded Dockerfiles, by name. What Debian packages is Debian's choice, that of
the release in `BASE`."""
