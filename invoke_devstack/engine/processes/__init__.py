"""Processes of this machine as containers. `with_processes.WithProcesses` is an `Engine` that keeps process
containers itself and passes everything else on, so every task that works on containers works on processes.

supervisord (https://supervisord.org/) keeps them when the command has ended. For each it starts `recorder`,
which runs the process in a session of its own and writes down what it prints and how it ends.
"""
