"""What an agent calls: a server of the Model Context Protocol over stdin and stdout.

Entry: `serving.serve`, the only module that imports the SDK. `tools` has the tools; each has tasks done,
through `acting/`.
"""
