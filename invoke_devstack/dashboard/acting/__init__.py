"""Has tasks done, one at a time, and tells the tabs what they do. Entry: `runs.Runs`."""
