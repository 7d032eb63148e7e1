"""The matching service: pairs tasks that wait at history with polls that wait for them. Keeps nothing that matters."""
