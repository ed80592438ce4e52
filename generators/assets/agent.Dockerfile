# The agent: OpenCode and the tools it works with.
ARG BASE=debian:trixie-slim
FROM ${BASE}

# The first steps are the same in all three images, so that they share layers.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY ca/ /usr/local/share/ca-certificates/jailoc/
RUN update-ca-certificates

RUN apt-get update \
 && apt-get install -y --no-install-recommends \
        bash curl docker-buildx docker-cli docker-compose fd-find file git jq less \
        nodejs npm openssh-client procps python3 python3-venv ripgrep unzip \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && ln -s /usr/bin/fdfind /usr/local/bin/fd

# Many tools carry their own list of authorities; these point them to the system's.
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
    GIT_SSL_CAINFO=/etc/ssl/certs/ca-certificates.crt \
    CURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt

# The folders exist beforehand: the engine makes a missing parent of a volume as root's.
RUN useradd --uid 1000 --user-group --create-home --shell /bin/bash agent \
 && cd /home/agent \
 && mkdir -p .local/share/opencode .local/state .cache .config .claude \
 && chown -R 1000:1000 . \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +

ARG OPENCODE_VERSION=1.18.4
RUN npm install --global --no-audit --no-fund --no-update-notifier "opencode-ai@${OPENCODE_VERSION}" \
 && rm -rf /root/.npm

USER 1000:1000
WORKDIR /home/agent
