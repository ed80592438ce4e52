FROM example.com/agent:1
USER root
RUN echo fine 1

RUN for i in $(seq 30); do echo line $i; done; \
    echo "cannot find the thing" >&2; exit 3
