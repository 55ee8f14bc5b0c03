"""What of a definition a swarm cannot carry out, and its values in the form that a swarm reads.

Entries: `swarm.preflight`, `translate.in_deploy_form`, `findings.refusal`.
"""
