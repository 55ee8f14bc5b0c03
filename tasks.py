"""This repository's own stack."""

from pathlib import Path

from invoke.context import Context

from invoke_devstack import stack

dev = stack()
namespace = dev

NOTES = Path(__file__).parent / "services/mysql/notes.sql"
CLIENT = 'MYSQL_PWD="$MYSQL_PASSWORD" exec mysql -u "$MYSQL_USER" "$MYSQL_DATABASE" -e "$0"'


@dev.after("mysql")
def migrate(c: Context) -> None:
    """The table of the notes, and a first note: once MySQL is ready, before the page that needs them."""
    dev.run_in("mysql", "sh", "-c", CLIENT, NOTES.read_text(encoding="utf-8"))
