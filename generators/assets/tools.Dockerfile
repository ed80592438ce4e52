# Tools that read and write an agent's files, so that no program of the host does.
ARG BASE
FROM ${BASE}

# The first steps are the same in all images, so that they share layers.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY ca/ /usr/local/share/ca-certificates/jailoc/
RUN update-ca-certificates

# Git believes `safe.directory` from a file alone.
RUN apt-get update \
 && apt-get install -y --no-install-recommends git git-lfs restic \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && mkdir /etc/jailoc && printf '[safe]\n\tdirectory = *\n' >/etc/jailoc/gitconfig
