"""What a key of the Compose Specification is: one declaration for each, grouped by subject.

`part.py` has the means (`key`, `ValueType`) and `types.py` the common types; `decode.py`, `merge.py` and
`paths.py` are what types are made of. All other modules hold keys.
"""
