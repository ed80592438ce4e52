# jailoc itself, for jobs that validate, compile and review configurations; with an engine to talk to
# it runs sandboxes, too. docs/how-to/install.md says how.
FROM debian:trixie-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3-venv \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY . /src
# The secret is for a network that inspects TLS; it does not become part of the image.
RUN --mount=type=secret,id=ca,target=/run/ca.pem \
    python3 -m venv /opt/jailoc \
 && if [ -s /run/ca.pem ]; then export PIP_CERT=/run/ca.pem; fi \
 && /opt/jailoc/bin/python -m pip install --no-cache-dir --disable-pip-version-check /src \
 && /opt/jailoc/bin/python -m pip uninstall --yes pip

FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates docker-cli docker-compose git python3 \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --create-home --no-log-init jailoc
COPY --from=build /opt/jailoc /opt/jailoc
ENV PATH=/opt/jailoc/bin:/usr/local/bin:/usr/bin:/bin \
    JAILOC_NO_UPDATE_NOTIFIER=1
USER 1000:1000
WORKDIR /work
ENTRYPOINT ["jailoc"]
