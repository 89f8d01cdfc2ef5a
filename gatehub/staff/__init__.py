"""The admin: who comes in, what the ready-made groups may do."""
