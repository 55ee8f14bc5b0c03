"""Services that run on this machine: prepares their variables, files and forwarders. Entry:
`prepare.with_hosted`."""
