# The proxy: puts credentials into requests, so that the agent never holds them.
ARG BASE
FROM ${BASE}

# The first steps are the same in all images, so that they share layers.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY ca/ /usr/local/share/ca-certificates/jailoc/
RUN update-ca-certificates

RUN apt-get update \
 && apt-get install -y --no-install-recommends haproxy openssl \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
