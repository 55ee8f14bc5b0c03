"""What stands around the call of a task: whether the call is right (`misuse`), which tasks follow it
(`sequence`), what signals do to it (`interruption`), how its hints name tasks (`naming`),
and that they keep the flags that were typed (`repeating`)."""
