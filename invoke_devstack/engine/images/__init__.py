"""Images. Entry points: `images.Images` pulls, pushes, imports, tags and removes; `references.Reference`
parses names; `transfers.transfer_failure` says why a pull or push failed."""
