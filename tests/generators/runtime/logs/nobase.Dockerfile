FROM 127.0.0.1:1/none:1
