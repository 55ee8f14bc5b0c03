"""What a terminal has while an `up` is attached: the view, and what its keys do."""
