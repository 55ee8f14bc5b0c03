"""A command line as one text, split into words as Docker Compose splits it."""

from __future__ import annotations


def split_words(text: str) -> list[str]:
    """The words of `text`. Raises ValueError for an unclosed quote or parenthesis.

    Not `shlex.split`: Compose ends the command at an unquoted `;`, `&`, `|`, `<` or `>`, treats a
    backslash inside double quotes as an escape whatever follows it, and keeps `$(…)` and backticks
    as one word.
    """
    return _Splitter().split(text)


class _Splitter:
    def __init__(self) -> None:
        self.words: list[str] = []
        self.word: list[str] = []
        self.started = False
        self.escaped = False
        self.quotes = ""  # the open one of ' " ` and $(

    def split(self, text: str) -> list[str]:
        for character in text:
            if not self._take(character):
                break
        if self.escaped or self.quotes:
            raise ValueError(f"unclosed quote or parenthesis, or a trailing backslash, in `{text}`")
        self._end_word()
        return self.words

    def _take(self, character: str) -> bool:
        """Adds a character; False if the command ends before it."""
        if self.escaped:
            self.escaped = False
            self._add(character)
        elif character == "\\" and self.quotes != "'":
            self.escaped = True
        elif character in " \t\r\n":
            if self.quotes:
                self.word.append(character)
            else:
                self._end_word()
        elif not self._is_quote(character):
            if character in ";&|<>" and not self.quotes:
                self._drop_descriptor(character)
                return False
            self._add(character)
        return True

    def _is_quote(self, character: str) -> bool:
        """Whether the character opened or closed quotes, and so is not part of the word."""
        if character in "'\"" and self.quotes in ("", character):
            self.started = self.started or self.quotes == character
            self.quotes = "" if self.quotes else character
            return True
        if character == "`" and self.quotes in ("", "`"):
            self.quotes = "" if self.quotes else "`"
        elif character == ")" and self.quotes in ("", "$("):
            self.quotes = "" if self.quotes else "$("
        elif character == "(" and self.quotes in ("", "$("):
            if self.quotes or self.word[-1:] != ["$"]:
                raise ValueError("put the parenthesis in quotes")
            self.quotes = "$("
            self.word.append("(")
            return True
        return False

    def _drop_descriptor(self, character: str) -> None:
        if character == ">" and "".join(self.word[:1]).isdecimal():
            self.started = False

    def _add(self, character: str) -> None:
        self.word.append(character)
        self.started = True

    def _end_word(self) -> None:
        if self.started:
            self.words.append("".join(self.word))
        self.word = []
        self.started = False
