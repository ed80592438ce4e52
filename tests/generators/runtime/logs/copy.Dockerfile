FROM example.com/agent:1
COPY missing /x
