"""Events -> live view, plain lines or JSON. The only room that prints."""
