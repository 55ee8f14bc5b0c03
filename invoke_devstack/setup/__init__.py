"""Prepares a machine and a project: `prepare.run_setup` (`invoke setup`), `doctor.run_doctor`,
`scaffold.write.write_first_files` (`invoke init`), and `standins`, images built where no registry answers."""
