# The agent: @AGENT@ and the tools it works with.
ARG BASE
FROM ${BASE} AS system

# The first steps are the same in all three images, so that they share layers.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY ca/ /usr/local/share/ca-certificates/jailoc/
RUN update-ca-certificates

RUN apt-get update \
 && apt-get install -y --no-install-recommends \
        bash curl docker-buildx docker-cli docker-compose fd-find file git git-lfs jq less \
        nodejs npm openssh-client procps python3 python3-venv ripgrep unzip xz-utils \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && ln -s /usr/bin/fdfind /usr/local/bin/fd

# Many tools carry their own list of authorities; these point them to the system's.
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
    GIT_SSL_CAINFO=/etc/ssl/certs/ca-certificates.crt \
    CURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt

# What comes from npm, with its versions; its cache and its scratch files stay behind.
FROM system AS npm
ARG @VERSION@
ARG BASH_LANGUAGE_SERVER_VERSION
ARG PYRIGHT_VERSION
ARG TYPESCRIPT_VERSION
ARG TYPESCRIPT_LANGUAGE_SERVER_VERSION
ARG YAML_LANGUAGE_SERVER_VERSION
RUN npm install --global --no-audit --no-fund --no-update-notifier \
        --fetch-retry-mintimeout=2000 --fetch-retry-maxtimeout=10000 \
        "@PACKAGE@@${@VERSION@}" \
        "bash-language-server@${BASH_LANGUAGE_SERVER_VERSION}" \
        "pyright@${PYRIGHT_VERSION}" \
        "typescript@${TYPESCRIPT_VERSION}" \
        "typescript-language-server@${TYPESCRIPT_LANGUAGE_SERVER_VERSION}" \
        "yaml-language-server@${YAML_LANGUAGE_SERVER_VERSION}"

FROM system
COPY --from=npm /usr/local/ /usr/local/

# Whose files the agent works on: nobody else may have that number; a group may be the system's, too.
ARG AGENT_UID=1000
ARG AGENT_GID=1000

# The folders exist beforehand: the engine makes a missing parent of a volume as root's.
RUN sed -i "/^[^:]*:[^:]*:${AGENT_UID}:/d" /etc/passwd \
 && groupadd --non-unique --gid "${AGENT_GID}" agent \
 && useradd --non-unique --uid "${AGENT_UID}" --gid "${AGENT_GID}" --no-log-init --create-home \
        --shell /bin/bash agent \
 && cd /home/agent \
 && mkdir -p .local/bin @DATA@ .local/state .cache .config .claude \
 && chown -R "${AGENT_UID}:${AGENT_GID}" . \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +

# What the agent installs for itself comes first. No root ever looks there.
ENV PATH=/home/agent/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

USER ${AGENT_UID}:${AGENT_GID}
WORKDIR /home/agent
