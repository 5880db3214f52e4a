"""How the claims of a sentence are read and tested; `templates.claims` is what others call."""
