"""How a command line becomes calls of tasks: arguments for Invoke's parser, words it cannot parse."""
