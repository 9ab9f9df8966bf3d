"""Who may use a server that several people share: their names, passwords, keys and logins."""
