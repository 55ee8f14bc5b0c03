"""What stays at the bottom of the terminal while an `up` is attached: one line for each service, and keys.

`place` puts it there, `drawing` says what it looks like, `keyboard` reads keys, `asking` asks for a service
or a word, `overview` knows how the services are, and `footer` joins them. What a key does is not decided
here: see `pilot`.
"""
