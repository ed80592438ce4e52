ARG BASE
FROM ${BASE} AS tools
USER root
RUN echo one; sleep 0.3; echo two >&2; printf 'a\rb\rc\n'
FROM ${BASE}
COPY note /note
COPY --from=tools /etc/hostname /h
RUN echo three 1 && \
    echo four
