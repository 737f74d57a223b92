"""How the models that ship with netweight are made, end to end."""
