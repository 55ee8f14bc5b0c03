"""What a person looks at in a browser: the stack, its logs, and why things happened. Start at `serving.py`.

`access` decides who may ask, `routes` what is answered, `hub` what every open tab is told. `watching/`
observes the stack, `logs/` keeps its lines, `acting/` runs tasks. The front end is in `static/`. Nothing else
imports this room, nor the libraries that it needs (the extra `[dashboard]`).
"""
