"""A definition as Docker Compose prints it (`config`, `hash`), and where its values come from (`trace`)."""
