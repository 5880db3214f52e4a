"""The rules of the rule book, by what they judge; `templates.rulebook` is their door."""
