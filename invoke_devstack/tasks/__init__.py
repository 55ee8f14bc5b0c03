"""What a person types: flags, help texts, one call each. The only room that imports invoke."""
