"""How a task gets its definition: `loader` reads the files when they are needed, `unset_variables` tells
which variables they lack."""
