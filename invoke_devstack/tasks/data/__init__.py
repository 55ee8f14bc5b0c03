"""Tasks about data: take, restore and reset (`snapshot`), and the list of snapshots (`snapshots`)."""
