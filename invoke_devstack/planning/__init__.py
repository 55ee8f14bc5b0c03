"""Definition + Observed -> Plan: graph, order, and the cause of every action. Pure."""
