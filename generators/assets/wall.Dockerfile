# The wall: holds the network namespace and its firewall, nothing else.
ARG BASE
FROM ${BASE}

# The first steps are the same in all three images, so that they share layers.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY ca/ /usr/local/share/ca-certificates/jailoc/
RUN update-ca-certificates

RUN apt-get update \
 && apt-get install -y --no-install-recommends iptables python3-dnspython \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
