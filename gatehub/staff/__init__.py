"""The admin: who comes in, what its first page shows, and the pages that the apps' admin modules cannot hold."""
