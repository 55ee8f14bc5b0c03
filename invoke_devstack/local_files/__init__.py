"""Files of this machine: how they are read (`reading`) and replaced (`replacing`), and the sentence for each
way in which that fails (`failures`). Other rooms read what a person names, and write what they keep, only
through it."""
