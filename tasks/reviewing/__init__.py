"""The review of a bench by people: verdicts, who judges what next, what they agree on."""
