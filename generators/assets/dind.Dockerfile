# The agent's own Docker: a daemon without root.
ARG BASE
FROM ${BASE}

# The first steps are the same in all three images, so that they share layers.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY ca/ /usr/local/share/ca-certificates/jailoc/
RUN update-ca-certificates

RUN apt-get update \
 && apt-get install -y --no-install-recommends \
        docker.io docker-cli docker-buildx fuse-overlayfs iproute2 iptables \
        kmod libcap2-bin procps rootlesskit slirp4netns tini uidmap xz-utils \
 && apt-get clean && rm -rf /var/lib/apt/lists/*

# The two helpers get the one capability each needs; nothing keeps a set-uid bit,
# so no program in here leads to the root of this container.
# slirp4netns is in the agent's network, and in the user namespace over which its containers have all
# power: a program that nobody there can read nobody there can trace (ptrace(2)).
RUN groupadd --gid 65532 rootless \
 && useradd --uid 65532 --gid 65532 --create-home --shell /bin/sh rootless \
 && echo 'rootless:100000:65536' > /etc/subuid \
 && echo 'rootless:100000:65536' > /etc/subgid \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && setcap cap_setuid+ep /usr/bin/newuidmap \
 && setcap cap_setgid+ep /usr/bin/newgidmap \
 && chmod 0711 /usr/bin/slirp4netns \
 && mkdir -p /home/rootless/.local/share/docker /run/dind \
 && chown -R 65532:65532 /home/rootless
