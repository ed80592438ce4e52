FROM example.com/agent:1
RUNN x
